//! Every word on the clerk's pages, in the clerk's own language: short, and always with what to do next.

mod books;
mod help;
mod refusals;

pub(crate) use books::*;
pub(crate) use console::texts::case::*;
pub(crate) use console::texts::case_page::*;
pub(crate) use console::texts::post::POST;
pub(crate) use help::*;
pub(crate) use refusals::*;

// The status bar.
pub(crate) const LINE_UP: &str = "线路通";
pub(crate) const LINE_DOWN: &str = "线路断";
pub(crate) const NEVER_UP: &str = "还没有连上过";
pub(crate) const HERE: &str = "本机";
pub(crate) const ENTRIES: &str = "条记录";
pub(crate) const ENTRY: &str = "条";
pub(crate) const ENTRIES_WHY: &str = "每办一步记一条，一件有好几条";
pub(crate) const AT_TOWNSHIP: &str = "已到乡镇";
pub(crate) const AT_COUNTY: &str = "已到县";
pub(crate) const OLDEST_UNSENT: &str = "最早未送出";
pub(crate) const ALL_SENT: &str = "全部送到";
pub(crate) const AS_OF: &str = "线路断开，以上是断开时所知";
pub(crate) const REVOKED: &str = "这台电脑已被上级停用，新记录不再被接受。请联系乡镇便民服务中心。";

// Coming to the desk.
pub(crate) const LOGIN: &str = "登录";
pub(crate) const SIGN_IN: &str = "登录";
pub(crate) const WHO_ARE_YOU: &str = "您是哪一位";
pub(crate) const OPEN_DAY: &str = "开始今天的工作";
pub(crate) const LOGIN_WITHOUT: &str =
    "不输口令也能登录、照常收件，只是看不到以前的姓名和证件号码；知道口令的人来了，锁屏后再输。";
pub(crate) const OPEN_DAY_WHY: &str = "请输入本室口令，才能看到申请人的姓名和证件号码。不输入也在照常同步。";
pub(crate) const PASSPHRASE: &str = "本室口令";
pub(crate) const OPEN: &str = "打开";
pub(crate) const NOBODY_ENROLLED: &str = "这台电脑上还没有人登录过。请先用乡镇给的一次性登记码设置自己的 PIN。";
pub(crate) const NOBODY_STATED: &str =
    "上级还没有登记本室的人员，或者消息还没有到这台电脑。请联系乡镇便民服务中心登记，连上线路后刷新本页。";
pub(crate) const CHOOSE_NAME: &str = "请先选择姓名。";
pub(crate) const NOT_ENROLLED: &str = "您还没有在这台电脑上设置 PIN。请点“第一次在这台电脑上登录”。";
pub(crate) const ENROL: &str = "第一次在这台电脑上登录";
pub(crate) const ENROL_WHY: &str = "登记码由乡镇便民服务中心当面给您，只能用一次。PIN 由您自己定，只存在这台电脑上。";
pub(crate) const ENROL_DO: &str = "设置 PIN 并登录";
pub(crate) const CODE: &str = "一次性登记码";
pub(crate) const CODE_HINT: &str = "16 位，横线可以不填";
pub(crate) const NEW_PIN: &str = "自己定的 PIN";
pub(crate) const PIN_HINT: &str = "6 到 12 位数字，不要用 123456、生日";
pub(crate) const PIN_AGAIN: &str = "再输一遍 PIN";
pub(crate) const LATE_KEPT: &str =
    "刚才提交时屏幕已经锁了：没有保存，也没有办。请输入 PIN 回到原来的页面，填过的内容会放回表里，核对后再提交一次。";
pub(crate) const LATE_LOST: &str =
    "刚才提交时屏幕已经锁了：没有保存，也没有办。口令没开时填过的内容也留不住，请登录后重新填写。";
pub(crate) const BACK_TO_LOGIN: &str = "返回登录";
pub(crate) const NO_CODE: &str = "您现在没有可用的登记码。请联系乡镇便民服务中心重新发码。";
pub(crate) const WRONG_CODE: &str = "登记码不对。请对照纸上的码重新输入；还是不对时，请乡镇重新发码。";
pub(crate) const OLD_CODE: &str = "登记码已过期（7 天）。请联系乡镇便民服务中心重新发码；若电脑日期不对，请先校准。";
pub(crate) const CODE_USED: &str = "这个登记码已在这台电脑上用过。忘了 PIN 请联系乡镇便民服务中心重新发码。";
pub(crate) const PINS_DIFFER: &str = "两遍 PIN 不一样，请重新输入。";

pub(crate) fn wrong_pin(left: u32) -> String {
    format!("PIN 不对，还可以试 {left} 次。忘了 PIN 请联系乡镇便民服务中心重新发登记码。")
}

pub(crate) fn pin_waits(until: &str) -> String {
    format!("PIN 错了五次，到 {until} 才能再试。忘了 PIN 请联系乡镇便民服务中心重新发登记码，用新码马上可以登录。")
}

pub(crate) fn weak_pin(digits: usize) -> String {
    format!("这个 PIN 太简单：要 {digits} 到 12 位数字，不能全相同，也不能是 123456 这样的顺序。")
}

pub(crate) fn accounts_disk(why: &str) -> String {
    format!("登录资料读写不了（{why}）。请检查磁盘空间，重新启动程序后再试。")
}

pub(crate) const PASSPHRASE_SET: &str = "设置本室口令";
pub(crate) const PASSPHRASE_WHY: &str =
    "设了口令，电脑丢了别人也看不到群众的个人信息。口令请记在纸上锁好：忘了口令，只能由上级重新发入网票。";
pub(crate) const PASSPHRASE_OLD: &str = "原来的口令";
pub(crate) const PASSPHRASE_NEW: &str = "新口令";
pub(crate) const PASSPHRASE_AGAIN: &str = "再输一遍新口令";
pub(crate) const PASSPHRASES_DIFFER: &str = "两遍口令不一样，请重新输入。";

// Lists of cases.
pub(crate) const CASES: &str = "件";
pub(crate) const NEW: &str = "登记";
pub(crate) const RECEIVED_TODAY: &str = "今日收件";
pub(crate) const CLOSED_TODAY: &str = "今日办结";
pub(crate) const OPEN_NOW: &str = "在办";
pub(crate) const OVERDUE: &str = "已超期";
pub(crate) const CAME_BACK: &str = "乡镇已回复";
pub(crate) const IN_ALL: &str = "本室共有";
pub(crate) const DAY_BOOK: &str = "最近登记";
pub(crate) const EMPTY_BOOK: &str = "还没有办件。按 Alt+2 或点“登记”收第一件。";
pub(crate) const ONLY_FIRST: &str = "只列出前面的件数：";
pub(crate) const COL_DATE: &str = "日期";
pub(crate) const COL_NAME: &str = "申请人";
pub(crate) const COL_STATE: &str = "状态";
pub(crate) const COL_TICK: &str = "已存到";

// Search.
pub(crate) const SEARCH: &str = "查找";
pub(crate) const SEARCH_TEXT: &str = "找什么";
pub(crate) const SEARCH_HINT: &str = "姓名、编号、证件号码、电话（后 4 位也行）、事项，可写几样，用空格隔开";
pub(crate) const SEARCH_FROM: &str = "收件日期从";
pub(crate) const SEARCH_UNTIL: &str = "到";
pub(crate) const ANY_STATE: &str = "不限";
pub(crate) const SEARCH_DO: &str = "查找（回车）";
pub(crate) const SEARCH_CLEAR: &str = "清空";
pub(crate) const SEARCH_LOCKED: &str = "本室口令还没有输入：只能按编号、事项、日期、状态和姓氏查找。要按姓名、证件号码、电话查找，请先锁屏，重新登录时输入口令。";
pub(crate) const NOTHING_FOUND: &str = "没有找到。请少写几样再试；姓名可只写一个字，证件号码、电话可只写后 4 位。";
pub(crate) const WRONG_DATE: &str = "日期要写成 2026-10-09 这样，请改正后再按一次。";

pub(crate) fn found(cases: &u64) -> String {
    format!("找到 {cases} 件")
}

pub(crate) fn only_first(lines: usize) -> String {
    format!("只列出最新的 {lines} 件。请再写一样（如日期、事项），范围就小了。")
}

// The day and the month.
pub(crate) const DAY: &str = "日结";
pub(crate) const DAY_OTHER: &str = "看哪一天";
pub(crate) const DAY_GO: &str = "看这一天";
pub(crate) const DAY_RECEIVED: &str = "收件";
pub(crate) const DAY_CLOSED: &str = "办结";
pub(crate) const NOT_AT_TOWNSHIP: &str = "还没到乡镇";
pub(crate) const OPEN_ALL: &str = "本室在办（全部）";
pub(crate) const DAY_EMPTY: &str = "这一天没有收件，也没有办结。";
pub(crate) const DAY_ALONE: &str = "单机使用，未接入上级：这一天的件都已存本机。";
pub(crate) const DAY_CLOSED_ALONE: &str = "已日结，已存本机。";
pub(crate) const DAY_ALL_THERE: &str = "这一天的件都已到乡镇。";
pub(crate) const STATE_NOW: &str = "现在的状态";
pub(crate) const PIECES: &str = "件数";
pub(crate) const DAY_CODE: &str = "日结码";
pub(crate) const DAY_CODE_WHY: &str =
    "乡镇、县里看同一天也有一个日结码：一样，说明两边的件一件不差；不一样，多半是还有件没传到，请过一会儿再对。";
pub(crate) const NTH: &str = "次数";
pub(crate) const CLOSED_AT: &str = "日结时间";
pub(crate) const CLOSED_BY: &str = "谁日结";
pub(crate) const BEHIND_THEN: &str = "当时还没到乡镇";
pub(crate) const CHANGED_SINCE: &str = "之后有变化";
pub(crate) const DAY_IS_CLOSED: &str = "已经日结，之后没有变化。";
pub(crate) const DAY_CLOSE: &str = "日结";
pub(crate) const DAY_CLOSE_AGAIN: &str = "补结一次（只增加，不改原来的）";
pub(crate) const PRINT_PAGE: &str = "打印本页";
pub(crate) const STILL_OPEN: &str = "这一天还没有办结的";
pub(crate) const LEDGER: &str = "月台账";
pub(crate) const MONTH: &str = "月份";
pub(crate) const LEDGER_XLSX: &str = "存成表格（xlsx）";
pub(crate) const LEDGER_CSV: &str = "存成 CSV";
pub(crate) const LEDGER_PLAIN: &str = "要完整的姓名、证件号码";
pub(crate) const LEDGER_PLAIN_DO: &str = "不脱敏。文件里会有完整的个人信息，用完请删除";
pub(crate) const LEDGER_HEAD_ALONE: &str = "存出来的台账是脱敏的；要完整姓名、证件号码的，请负责人登录后存。";
pub(crate) const NO_SHEET: &str = "表格没有做成。请改存 CSV；还是不行时请联系乡镇便民服务中心。";
pub(crate) const IMPORT_LINK: &str = "导入以前的登记簿（CSV）";

pub(crate) fn day_behind(cases: &u64) -> String {
    format!("这一天有 {cases} 件还没有到乡镇。可以照常日结，连上线路后会自动补送。")
}

pub(crate) fn day_closed(behind: u64) -> String {
    match behind {
        0 => "已日结，已存本机。这一天的件都已到乡镇。".to_owned(),
        n => format!("已日结，已存本机。{n} 件还没有到乡镇，连上线路后会自动补送。"),
    }
}

pub(crate) fn nth_time(nth: &u64) -> String {
    format!("第 {nth} 次")
}

pub(crate) fn ledger_file(month: &str, masked: bool, end: &str) -> String {
    let how = if masked { "脱敏" } else { "完整" };
    format!("台账-{month}-{how}.{end}")
}

// Import.
pub(crate) const IMPORT: &str = "导入登记簿";
pub(crate) const IMPORT_WHY: &str =
    "先看，再导入：选好文件后会列出哪些行能导入、哪些行有问题；您按“导入”以前，什么都不会写进去。";
pub(crate) const IMPORT_FILE: &str = "登记簿文件";
pub(crate) const IMPORT_HINT: &str = "CSV UTF-8，最大 8 MB";
pub(crate) const IMPORT_TOO_LARGE: &str = "文件太大（最大 8 MB）。请分成几个文件，每个都带表头，再一个一个导入。";
pub(crate) const IMPORT_COLUMNS: &str = "第一行是表头，要有这些列（次序不限）：";
pub(crate) const IMPORT_LOOK_FIRST: &str = "没有导入：请先选文件看一遍，再按“导入”。";
pub(crate) const IMPORTED: &str = "已导入";
pub(crate) const ROWS_GOOD: &str = "可以导入";
pub(crate) const ROWS_KNOWN: &str = "以前已导入";
pub(crate) const ROWS_BAD: &str = "有问题，不导入";
pub(crate) const ROWS_BAD_WHY: &str = "请在文件里改正这些行再导入一次；已导入的行不会重复。";
pub(crate) const ROWS_ODD: &str = "可以导入，但请注意";
pub(crate) const ROW: &str = "第几行";
pub(crate) const WHAT_WRONG: &str = "问题";
pub(crate) const WHAT_ODD: &str = "说明";
pub(crate) const SAMPLE: &str = "可以导入的前几行";
pub(crate) const CLOSED_ON: &str = "办结日期";
pub(crate) const NOTHING_WRITTEN: &str = "现在还什么都没有写进去。";
pub(crate) const NOTHING_TO_IMPORT: &str = "这个文件里没有可以导入的新行。";

pub(crate) fn import_take(rows: &u64) -> String {
    format!("导入这 {rows} 行")
}

pub(crate) fn imported_already(rows: u64) -> String {
    format!("这个文件刚才已经导入过了（{rows} 行），没有重复导入。要导入别的文件，请重新选。")
}

pub(crate) fn imported(rows: &u64) -> String {
    format!("已导入 {rows} 行，已存本机。")
}

// New case.
pub(crate) const MATTER: &str = "办什么事";
pub(crate) const MATTER_HINT: &str = "输入拼音首字母、名称或编码，如 zjd、宅基地、A01，回车选第一个";
pub(crate) const NO_MATTER: &str = "没有找到。少输几个字母，或换名称里的另一个词试试。";
pub(crate) const OFTEN: &str = "常办";
pub(crate) const CHANGE_MATTER: &str = "换一个事项";
pub(crate) const CHOOSE_MATTER: &str = "还没有选事项。请在“办什么事”里输入，从列出的事项中选一个。";
pub(crate) const ON_THE_SPOT: &str = "当场办结";
pub(crate) const VILLAGE_ROLE: &str = "本室：";
pub(crate) const MATERIALS_HINT: &str = "带来的打勾";
pub(crate) const CERT_HINT: &str = "可用读卡器";
pub(crate) const CERT_ODD: &str = "证件上确实是这样，仍要登记";
pub(crate) const CERT_REASON: &str = "核对说明";
pub(crate) const CERT_REASON_HINT: &str = "如：证件印错，已看原件。会留在记录里，不要写姓名、号码";
pub(crate) const NAME: &str = "姓名";
pub(crate) const ADDRESS: &str = "住址";
pub(crate) const MORE: &str = "备注、补录日期";
pub(crate) const REMARK: &str = "备注";
pub(crate) const ON_HINT: &str = "不填就是今天；补录才填";
pub(crate) const RECEIVE: &str = "收件（Ctrl+回车）";
pub(crate) const RECEIVE_AND_CLOSE: &str = "收件并当场办结";
pub(crate) const RESULT: &str = "结果";
pub(crate) const MALE: &str = "男";
pub(crate) const FEMALE: &str = "女";
pub(crate) const CREDIT_CODE: &str = "统一社会信用代码，校验位正确";
pub(crate) const VISITS: &str = "这个人以前来办过：";
pub(crate) const NOT_THIS_PERSON: &str = "没有沿用：上面的证件号码和那一件不是同一个人。请核对号码，或直接填写。";
pub(crate) const TAKE_OVER: &str = "沿用姓名、电话、住址";
pub(crate) const REVEAL_AGAIN: &str = "本人再次来办事，沿用上次登记的联系方式";
pub(crate) const NOT_SAVED: &str = "还没有保存，改正后请再按一次“收件”。";
pub(crate) const SAVED_BEFORE: &str = "这一件刚才已经存过，没有重复登记";
pub(crate) const RESUMED: &str = "已接上次没填完的内容。";
pub(crate) const CLEAR: &str = "清空重填";
pub(crate) const NEW_LOCKED: &str =
    "本室口令还没有输入：可以收件，但填到一半的内容不会自动保存，也查不到这个人以前办过的事。";

pub(crate) fn errand_opened(number: &str) -> String {
    format!("同时开了代办 {number}，由您领办")
}

pub(crate) fn kept_already(number: &str) -> String {
    format!("断电以前填的那一件已经存好了，就是这件（{number}），不用再填")
}

pub(crate) fn promised(days: &u32) -> String {
    format!("承诺 {days} 个工作日")
}

pub(crate) fn born(day: &str, sex: &str) -> String {
    format!("号码正确：{day} 出生，{sex}")
}

pub(crate) fn draft_kept(at: &str) -> String {
    format!("草稿已存（{at}）")
}

// The case page.

// Errands.

pub(crate) const ERRANDS_NOW: &str = "代办在办";
pub(crate) const NEW_ERRAND: &str = "登记代办";
pub(crate) const NEW_ERRAND_DO: &str = "登记代办（Ctrl+回车）";
pub(crate) const NOT_SAVED_ERRAND: &str = "还没有保存，改正后请再按一次“登记代办”。";
pub(crate) const ERRANDS_OPEN: &str = "在办";
pub(crate) const ERRANDS_DONE: &str = "已了结";
pub(crate) const NO_ERRANDS: &str = "还没有代办。从办件页面点“开代办”，或在这里登记。";
pub(crate) const ERRANDS_NEWER: &str = "← 前一页";
pub(crate) const ERRANDS_SEEK: &str = "找某一件，用“查找”更快。";

pub(crate) fn errands_older(left: &usize) -> String {
    format!("后面还有 {left} 件 →")
}

pub(crate) const MAY_BE_EMPTY: &str = "手边没有可以不填";

// The applicant's own page.
pub(crate) const HOW_WAS_IT: &str = "请您评价这次服务";
pub(crate) const NO_EVALUATION: &str = "不评价";
pub(crate) const PRESS_AGAIN: &str = "刚才没有存好，请再按一次。";
pub(crate) const THANKS: &str = "谢谢，您的评价已存好";
pub(crate) const THANKS_ANYWAY: &str = "好的，谢谢";
pub(crate) const GIVE_BACK: &str = "请把屏幕交还给工作人员。";
pub(crate) const CLERK_GOES_ON: &str = "工作人员输入 PIN 继续";
pub(crate) const NOT_EVALUABLE: &str = "这件现在还不能评价：办结以后才请申请人评价。";
pub(crate) const NO_SCREEN: &str = "评价页面已经失效（用过了、过了五分钟，或工作人员已重新登录）。评价只能由申请人本人按；请工作人员在办件页面重新点“请申请人评价”。";
