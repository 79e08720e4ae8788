//! Who may do what.
use super::{Context, Folded, NewEvent, Who};
use crate::catalogue::Matter;
use crate::form::Form;
/// Why an event is refused where it is typed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);
impl Folded {
    /// The events that `who` may emit now.
    pub fn allowed<'f>(&self, who: &Who, form: &'f Form, matter: &Matter) -> Vec<&'f str> {
        let _ = (who, form, matter);
        todo!()
    }
    /// Checks an event before it is written.
    pub fn check(&self, event: &NewEvent, who: &Who, ctx: &Context) -> Result<(), Refusal> {
        let _ = (event, who, ctx);
        todo!()
    }
}
