//! Behaviour of a whole ward. Every test makes its own in a folder of its own; time stands still
//! unless a test moves it.

mod desk;
mod enrolment;
mod fixture;
mod staff;
