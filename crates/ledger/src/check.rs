//! Checks on what a clerk types (录入校验). Every refusal says in Chinese what to do.

use std::fmt;

use serde::Serialize;

use crate::day::Day;
use crate::mask;

/// Why an input is refused. Shown as it stands.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckError {
    #[error("没有填写{0}，请补上")]
    Empty(&'static str),
    #[error("证件号码应是 18 位，现在是 {0} 位，请对照证件重输")]
    IdLength(usize),
    #[error("这是 15 位旧号码，请按现在的 18 位身份证录入")]
    IdOld,
    #[error("证件号码第 {0} 位不是数字，请对照证件重输（只有末位可以是 X）")]
    IdCharacter(usize),
    #[error("只能写 4 到 30 位字母和数字，请对照证件重输")]
    IdOdd,
    #[error("证件号码里的出生日期不存在，请对照证件第 7 到 14 位重输")]
    IdBirth,
    #[error("证件号码末位校验不对，多半有一位输错了，请对照证件重输")]
    IdChecksum,
    #[error("统一社会信用代码应是 18 位，现在是 {0} 位，请对照执照重输")]
    CreditLength(usize),
    #[error("统一社会信用代码第 {0} 位不能用这个字符（没有 I、O、S、V、Z），请对照执照重输")]
    CreditCharacter(usize),
    #[error("统一社会信用代码末位校验不对，多半有一位输错了，请对照执照重输")]
    CreditChecksum,
    #[error("电话号码不对：手机是 1 开头的 11 位，座机请带区号，请核对后重输")]
    Phone,
    #[error("姓名太短，至少 2 个字，请写全名")]
    NameShort,
    #[error("姓名太长，最多 100 个字，请核对")]
    NameLong,
    #[error("姓名里不能有“{0}”，请删去后重输")]
    NameCharacter(char),
    #[error("{0}太长，最多 {1} 个字，请缩短")]
    TooLong(&'static str, usize),
    #[error("{0}里有看不见的控制字符，请重新输入")]
    Control(&'static str),
}

/// 性别, the parity of the seventeenth digit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    Female,
    Male,
}

/// A resident's identity number that has passed its check (GB 11643). Printed masked by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ResidentId {
    number: String,
    birth: Day,
    sex: Sex,
}

impl ResidentId {
    /// Eighteen characters: half-width digits, the last one may be `X`.
    pub fn number(&self) -> &str {
        &self.number
    }

    pub fn birth(&self) -> Day {
        self.birth
    }

    pub fn sex(&self) -> Sex {
        self.sex
    }
}

impl fmt::Debug for ResidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResidentId({})", mask::id(&self.number))
    }
}

const NAME_CHARS_MAX: usize = 100;
const ADDRESS_CHARS_MAX: usize = 200;
/// Longer input is not looked at character by character.
const INPUT_BYTES_MAX: usize = 4 * 1024;

/// Full-width forms (`１Ａ－`, the ideographic space) to their half-width ones; everything else stays.
pub fn fold_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '\u{3000}' => ' ',
            _ => c,
        })
        .collect()
}

/// Checks a resident's identity number. Spaces are dropped, full-width digits folded, `x` raised. Area prefixes are not looked at:
/// abolished ones are as good as any.
///
/// # Errors
/// [`CheckError`]: length, a character, a date that does not exist, the check character.
pub fn resident_id(text: &str) -> Result<ResidentId, CheckError> {
    let number = compact(text, "证件号码")?.to_ascii_uppercase();
    let len = number.chars().count();
    if len == 15 && number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CheckError::IdOld);
    }
    if len != 18 {
        return Err(CheckError::IdLength(len));
    }
    let wrong = number
        .chars()
        .enumerate()
        .find(|(at, c)| !(c.is_ascii_digit() || (*at == 17 && *c == 'X')));
    if let Some((at, _)) = wrong {
        return Err(CheckError::IdCharacter(at + 1));
    }
    let digits = |from: usize, to: usize| number[from..to].parse::<u32>().unwrap_or(0);
    let birth = Day::from_ymd(digits(6, 10) as i32, digits(10, 12), digits(12, 14)).ok_or(CheckError::IdBirth)?;
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = number.bytes().zip(WEIGHTS).map(|(b, w)| u32::from(b - b'0') * w).sum();
    if b"10X98765432"[(sum % 11) as usize] != number.as_bytes()[17] {
        return Err(CheckError::IdChecksum);
    }
    let sex = if digits(16, 17) % 2 == 1 {
        Sex::Male
    } else {
        Sex::Female
    };
    Ok(ResidentId { number, birth, sex })
}

/// A number that is neither a resident's nor a credit code (a passport, a lost household's, a misprinted card): 4 to 30 letters and
/// digits, as they stand on the paper. Taken only with a reason.
///
/// # Errors
/// [`CheckError`]: nothing there, or what no paper has.
pub fn odd_id(text: &str) -> Result<String, CheckError> {
    let number = compact(text, "证件号码")?.to_ascii_uppercase();
    let fits = number
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-()/".contains(&b));
    match fits && (4..=30).contains(&number.len()) {
        true => Ok(number),
        false => Err(CheckError::IdOdd),
    }
}

/// Checks a unified social credit code (GB 32100). The second character is free: economic collectives begin N1, N2, N3.
///
/// # Errors
/// [`CheckError`]: length, a character, the check character.
pub fn credit_code(text: &str) -> Result<String, CheckError> {
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let code = compact(text, "统一社会信用代码")?.to_ascii_uppercase();
    let len = code.chars().count();
    if len != 18 {
        return Err(CheckError::CreditLength(len));
    }
    let mut values = [0; 18];
    for (at, c) in code.chars().enumerate() {
        values[at] = ALPHABET
            .iter()
            .position(|a| char::from(*a) == c)
            .ok_or(CheckError::CreditCharacter(at + 1))?;
    }
    let sum: usize = values.iter().zip(WEIGHTS).map(|(v, w)| v * w).sum();
    if (31 - sum % 31) % 31 != values[17] {
        return Err(CheckError::CreditChecksum);
    }
    Ok(code)
}

/// Checks a mobile (`1[3-9]` and nine digits) or a landline, and gives it without spaces; `+86` is dropped, a landline keeps its hyphens.
///
/// # Errors
/// [`CheckError::Empty`], [`CheckError::Phone`].
pub fn phone(text: &str) -> Result<String, CheckError> {
    let typed = compact(text, "电话号码").map_err(|error| match error {
        CheckError::Empty(_) => error,
        _ => CheckError::Phone,
    })?;
    let number = typed
        .strip_prefix("+86")
        .or_else(|| typed.strip_prefix("0086"))
        .unwrap_or(&typed);
    let digits: String = number.chars().filter(|c| *c != '-').collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CheckError::Phone);
    }
    let bytes = digits.as_bytes();
    if bytes.len() == 11 && bytes[0] == b'1' && (b'3'..=b'9').contains(&bytes[1]) {
        return Ok(digits);
    }
    let parts: Vec<&str> = number.split('-').collect();
    // An extension of up to six digits may follow: 0826-2345678-801.
    let local = |part: &str| (7..=8).contains(&part.len()) && (b'2'..=b'8').contains(&part.as_bytes()[0]);
    let area = |part: &str| (3..=4).contains(&part.len()) && part.starts_with('0') && !part.starts_with("00");
    let extension = |part: &str| (1..=6).contains(&part.len());
    let whole = |part: &str| local(part) || (3..=4).any(|n| part.len() > n && area(&part[..n]) && local(&part[n..]));
    let valid = match parts.as_slice() {
        [one] => whole(one),
        [a, b] => (area(a) && local(b)) || (whole(a) && extension(b)),
        [a, b, c] => area(a) && local(b) && extension(c),
        _ => false,
    };
    if valid {
        Ok(number.to_owned())
    } else {
        Err(CheckError::Phone)
    }
}

/// Checks a person's name: 2 to 100 characters. Rare characters survive whatever plane they are in, also those that old systems put
/// into the private use area; the several dots that keyboards give for `·` become that one.
///
/// # Errors
/// [`CheckError`]: empty, too short, too long, a digit, a punctuation or control character.
pub fn name(text: &str) -> Result<String, CheckError> {
    if text.len() > INPUT_BYTES_MAX {
        return Err(CheckError::NameLong);
    }
    let dotted: String = text
        .chars()
        .map(|c| {
            if matches!(c, '•' | '・' | '‧' | '∙' | '．' | '･') {
                '·'
            } else {
                c
            }
        })
        .collect();
    let name = fold_width(&dotted).trim().to_owned();
    if name.is_empty() {
        return Err(CheckError::Empty("姓名"));
    }
    if let Some(c) = name.chars().find(|c| !belongs_in_name(*c)) {
        return Err(if c.is_control() {
            CheckError::Control("姓名")
        } else {
            CheckError::NameCharacter(c)
        });
    }
    match name.chars().filter(|c| !is_variation(*c)).count() {
        0..=1 => Err(CheckError::NameShort),
        2..=NAME_CHARS_MAX => Ok(name),
        _ => Err(CheckError::NameLong),
    }
}

/// Checks an address: 1 to 200 characters on one line.
///
/// # Errors
/// [`CheckError`]: empty, too long, a control character.
pub fn address(text: &str) -> Result<String, CheckError> {
    line_of_text(text, "住址", ADDRESS_CHARS_MAX)
}

fn line_of_text(text: &str, what: &'static str, chars_max: usize) -> Result<String, CheckError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(CheckError::Empty(what));
    }
    if text.len() > INPUT_BYTES_MAX || text.chars().count() > chars_max {
        return Err(CheckError::TooLong(what, chars_max));
    }
    if text.chars().any(char::is_control) {
        return Err(CheckError::Control(what));
    }
    Ok(text.to_owned())
}

fn belongs_in_name(c: char) -> bool {
    let private_use = matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}');
    // Ideographic description characters spell out a character that no font has.
    let description = matches!(c, '\u{2FF0}'..='\u{2FFF}');
    c.is_alphabetic()
        || private_use
        || description
        || is_variation(c)
        || matches!(c, '·' | ' ' | '\'' | '’' | '-' | '.')
}

fn is_variation(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Without spaces, half-width, of a sane length.
fn compact(text: &str, what: &'static str) -> Result<String, CheckError> {
    if text.len() > INPUT_BYTES_MAX {
        return Err(CheckError::TooLong(what, 18));
    }
    let folded: String = fold_width(text).chars().filter(|c| !c.is_whitespace()).collect();
    if folded.is_empty() {
        Err(CheckError::Empty(what))
    } else {
        Ok(folded)
    }
}
