//! Behaviour of a whole ward. Every test makes its own in a folder of its own; time stands still
//! unless a test moves it.

mod admission;
mod attachments;
mod audit;
mod check;
mod desk;
mod doors;
mod enrolment;
mod feed;
mod fixture;
mod growth;
mod looking;
mod phone;
mod purge;
mod rescue;
mod restore;
mod retention;
mod scope;
mod staff;

impl super::Ward {
    /// What a check of the whole ward counted.
    ///
    /// # Panics
    /// If anything of this ward is not as it should be.
    #[track_caller]
    pub(crate) fn assert_sound(&self) -> super::Checked {
        let checked = self.check().unwrap();
        assert!(checked.is_sound(), "{:?}", checked.problems);
        checked
    }
}
