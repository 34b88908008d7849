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
