//! Vietnamese telephone numbers.

/// The ten digits (eleven for a land line) of a number however it was typed; `None` if it is none.
#[must_use]
pub fn parse(_typed: &str) -> Option<String> {
    todo!()
}

/// `0903***439`: enough to recognise, too little to call.
#[must_use]
pub fn mask(_number: &str) -> String {
    todo!()
}
