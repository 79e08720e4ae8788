//! Making changes.
use super::{Context, Creation, Edit, RecordEntry};
use crate::form::Form;
/// Why a change cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("模板中没有“{0}”，请检查名称")]
    Undeclared(String),
    #[error("“{label}”的内容类型不对，请按要求重新填写")]
    WrongType { label: String },
    #[error("“{label}”属于个人信息，须先加密再保存")]
    NotSealed { label: String },
    #[error("该记录尚不完整（等待其他条目或模板），请稍后再试")]
    NotReady,
    #[error("内容过多，请分几次填写")]
    TooMany,
}
/// Makes the creation change of a record.
pub fn create(actor: [u8; 16], creation: &Creation, form: &Form) -> Result<Vec<u8>, EditError> {
    let _ = (actor, creation, form);
    todo!()
}
/// Makes a change on top of all entries that apply.
pub fn edit(entries: &[RecordEntry], actor: [u8; 16], edits: &[Edit], ctx: &Context) -> Result<Vec<u8>, EditError> {
    let _ = (entries, actor, edits, ctx);
    todo!()
}
