//! Why a command line ends without its purpose: words for the person and the exit code.

use office::command::CommandError;
use serde_json::Value;

/// What is told to the person, in Chinese with what to do next, and how the process ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// For programs, e.g. `unknown_unit`.
    pub code: String,
    pub message: String,
    /// 1 failed, 2 wrong use.
    pub exit: u8,
}

impl Failure {
    /// What was asked could not be done here.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            code: "failed".to_owned(),
            message: message.into(),
            exit: 1,
        }
    }

    /// What was asked makes no sense as it was written.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            code: "usage".to_owned(),
            message: message.into(),
            exit: 2,
        }
    }

    /// The same with a code for programs.
    pub fn coded(mut self, code: &str) -> Self {
        code.clone_into(&mut self.code);
        self
    }

    /// As the local API and `--json` tell it.
    pub fn to_json(&self) -> Value {
        serde_json::json!({"error": {"code": self.code, "message": self.message, "exit": self.exit}})
    }

    /// Reads what [`Failure::to_json`] wrote (the value of `error`).
    pub(crate) fn from_json(error: &Value) -> Self {
        let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let exit = error
            .get("exit")
            .and_then(Value::as_u64)
            .and_then(|e| u8::try_from(e).ok())
            .unwrap_or(1);
        Self {
            code: text("code"),
            message: text("message"),
            exit: exit.clamp(1, 2),
        }
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self {
            code: error.code.to_owned(),
            message: error.message,
            exit: error.exit,
        }
    }
}
