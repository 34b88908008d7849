//! One function a command. Each opens the store, does one thing and says how it ended.

mod change;
mod files;
mod lock;
mod read;
mod record;
mod status;
mod stay;
mod ward;

use gandan_core::model::Location;

use crate::Outcome;
use crate::arguments::{Arguments, Command};
use crate::failure::Failure;

/// Does what was typed.
pub(crate) fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    match arguments.command {
        Command::Enrol(arguments) => ward::enrol(&arguments),
        Command::Sync(arguments) if arguments.stay => stay::stay(&arguments),
        Command::Sync(arguments) => ward::sync(&arguments),
        Command::RenewKey(arguments) => ward::renew_key(&arguments),
        Command::Record(arguments) => record::record(&arguments),
        Command::List(arguments) => read::list(&arguments),
        Command::Look(arguments) => ward::look(&arguments),
        Command::Consent => read::consent(),
        Command::Show(arguments) => read::show(&arguments),
        Command::Status(arguments) => status::status(&arguments),
        Command::Lock(arguments) => lock::lock(&arguments),
        Command::Unlock(arguments) => lock::unlock(&arguments),
        Command::Pending(arguments) => read::pending(&arguments),
        Command::Rejected(arguments) => read::rejected(&arguments),
        Command::Check(arguments) => read::check(&arguments),
        Command::Checkpoint(arguments) => ward::checkpoint(&arguments),
        Command::Edit(arguments) => change::edit(*arguments),
        Command::Void(arguments) => change::void(&arguments),
        Command::Deliver(arguments) => change::deliver(&arguments),
        Command::Visit(arguments) => change::visit(arguments),
        Command::Attach(arguments) => files::attach(&arguments),
        Command::Fetch(arguments) => files::fetch(&arguments),
        Command::Free(arguments) => files::free(&arguments),
        Command::Rescue(arguments) => files::rescue(&arguments),
        Command::Export(arguments) => files::export(&arguments),
    }
}

/// A point in degrees; `None` if it is not on the Earth.
pub(crate) fn location(latitude: f64, longitude: f64) -> Option<Location> {
    let is_on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    is_on_earth.then(|| Location {
        latitude_e6: (latitude * 1e6).round() as i32,
        longitude_e6: (longitude * 1e6).round() as i32,
    })
}

/// Names a file to a person.
fn display(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_rounded_to_a_tenth_of_a_metre_and_lies_on_the_earth() {
        let point = location(10.776_889_4, -106.700_897_6).expect("on the Earth");
        assert_eq!(
            (point.latitude_e6, point.longitude_e6),
            (10_776_889, -106_700_898)
        );
        assert!(location(90.1, 0.0).is_none());
        assert!(location(f64::NAN, 0.0).is_none());
        assert!(location(0.0, f64::INFINITY).is_none());
    }
}
