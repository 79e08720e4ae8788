//! Masks (脱敏): what a list may show of a person.

/// `张三` → `张*`. One star whatever the length, so that not even the length is told.
pub fn name(name: &str) -> String {
    let mut chars = name.trim().chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    let mut masked = String::from(first);
    // A variation selector belongs to the character before it.
    masked.extend(
        chars
            .next()
            .filter(|c| matches!(*c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')),
    );
    masked.push('*');
    masked
}

/// `511603199001010014` → `511603********0014`. Any other length shows its first and last quarter at most.
pub fn id(number: &str) -> String {
    let len = number.trim().chars().count();
    if len == 18 {
        middle(number, 6, 4)
    } else {
        middle(number, len / 4, len / 4)
    }
}

/// `13812345678` → `138****5678`; a landline shows its last two digits.
pub fn phone(number: &str) -> String {
    let number = number.trim();
    if number.len() == 11 && number.starts_with('1') {
        middle(number, 3, 4)
    } else {
        middle(number, 0, 2)
    }
}

/// `观阁镇石莲村3组12号` → `观阁镇石莲***`: the place is told, the door is not, nor how long the rest is.
pub fn address(address: &str) -> String {
    let address = address.trim();
    let len = address.chars().count();
    let mut masked: String = address.chars().take((len / 2).min(6)).collect();
    masked.push_str("***");
    masked
}

/// Stars in place of all but the first `head` and the last `tail` characters; nothing but stars when that would leave fewer than 3 hidden.
fn middle(text: &str, head: usize, tail: usize) -> String {
    let text = text.trim();
    let len = text.chars().count();
    let (head, tail) = if len < head + tail + 3 { (0, 0) } else { (head, tail) };
    text.chars()
        .enumerate()
        .map(|(at, c)| if at < head || at >= len - tail { c } else { '*' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_show_what_the_rule_allows_and_no_more() {
        assert_eq!(name("张三"), "张*");
        assert_eq!(name("阿依古丽·买买提"), "阿*");
        assert_eq!(name("𠮷田"), "𠮷*");
        assert_eq!(name(""), "");
        assert_eq!(id("511603199001010014"), "511603********0014");
        assert_eq!(id("510103490101123"), "510*********123");
        assert_eq!(id("1234"), "****");
        assert_eq!(phone("13812345678"), "138****5678");
        assert_eq!(phone("08262345678"), "*********78");
        assert_eq!(phone("123"), "***");
        assert_eq!(address("观阁镇石莲村3组12号"), "观阁镇石莲***");
        assert_eq!(address("三组5号"), "三组***");
        assert_eq!(address("5"), "***");
    }
}
