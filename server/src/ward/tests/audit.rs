//! The audit trail: that everything is told, that nothing personal is, and that no change goes unseen.

use gandan_core::document::schema::{self, field};
use gandan_core::model::{Confidentiality, DeviceId, Role};
use gandan_core::policy::Author;
use gandan_core::protocol::enrolment::EnrolmentRequest;
use rusqlite::params;

use super::fixture::World;
use super::phone::Phone;
use crate::ward::audit::{Actor, Finding};
use crate::ward::{Origin, Ward, WardError};

/// Kind, outcome, actor and detail of every entry, oldest first.
fn told(ward: &Ward) -> Vec<String> {
    ward.read(|connection| {
        connection
            .prepare("SELECT kind, outcome, actor, detail FROM audit ORDER BY number")?
            .query_map([], |row| {
                let words: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
                Ok(words.join(" ").trim_end().to_owned())
            })?
            .collect()
    })
    .unwrap()
}

/// A ward where much was done: entries of most kinds.
fn busy() -> World {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let case = phone.case("Ngập trước nhà bà Xuân", Some("26998"));
    let forbidden = phone.set(&case, field::ANSWER, "tự trả lời");
    phone.send(&world.ward, &[case.clone(), forbidden]);
    let clerk = world.clerk("Lê Thị Minh Thư", Role::Triage);
    world
        .ward
        .accept(clerk.author, case.edit().document.uuid)
        .unwrap();
    let officer = Author {
        officer: clerk.author.officer,
        role: Role::Officer,
    };
    let refused = world.ward.author(
        officer,
        case.edit().document,
        vec![schema::set(
            field::CONFIDENTIALITY,
            schema::text_value(Some(Confidentiality::Restricted.code())),
        )],
    );
    assert!(matches!(refused, Err(WardError::NotAllowed(_))));
    let staff = world
        .ward
        .add_staff("thu", "Thư", Role::Chair, "mật khẩu dài")
        .unwrap();
    assert_eq!(
        world
            .ward
            .sign_in(&Origin::default(), "thu", "sai rồi nhé")
            .unwrap(),
        None
    );
    let signed_in = world
        .ward
        .sign_in(&Origin::default(), "thu", "mật khẩu dài");
    let token = signed_in.unwrap().unwrap().token;
    world.ward.sign_out(&token).unwrap();
    world
        .ward
        .note_restricted_read(staff, case.edit().document)
        .unwrap();
    let command_line = world.ward.acting_for(Actor::CommandLine);
    command_line.export(case.edit().document).unwrap();
    command_line.set_months_held(Some(6)).unwrap();
    command_line.resume_numbering().unwrap();
    command_line.revoke(phone.device()).unwrap();
    world
}

#[test]
fn everything_that_is_done_is_told_with_who_did_it_and_nothing_of_what_was_said() {
    let world = busy();
    assert_eq!(
        told(&world.ward),
        [
            "ward_made done command_line",
            "officer_added done ward",
            "areas_given done ward areas=1",
            "invite_made done ward",
            "invite_used done device",
            "admission mixed device accepted=1 rejected=1",
            "officer_added done ward",
            "console_edit done staff",
            "console_edit refused staff code=10",
            "officer_added done ward",
            "staff_added done ward",
            "sign_in refused stranger",
            "sign_in done staff",
            "sign_out done staff",
            "restricted_read done staff",
            "export done command_line",
            "hold_changed done command_line months=6",
            "numbering_resumed not_paused command_line voided=0",
            "device_revoked done command_line",
        ]
    );
    assert!(world.ward.verify_audit().unwrap().is_sound());
}

#[test]
fn every_single_edit_removal_swap_and_cut_is_found() {
    let world = busy();
    let sound = world.ward.verify_audit().unwrap();
    assert!(sound.is_sound(), "{:?}", sound.findings);
    let count = i64::try_from(sound.entries).unwrap();
    let columns = [
        "at = at + 1",
        "kind = kind || 's'",
        "outcome = 'other'",
        "actor = 'nobody'",
        "officer = CASE WHEN officer IS NULL THEN x'00112233445566778899aabbccddeeff' END",
        "device = CASE WHEN device IS NULL THEN zeroblob(32) END",
        "detail = detail || ' accepted=9'",
        "subjects = subjects || 'case:x'",
        "subjects = NULL, salt = NULL",
        "salt = randomblob(16)",
        "subjects_digest = zeroblob(32)",
        "feed_sequence = feed_sequence + 1",
        "feed_chain = randomblob(32)",
        "chain = zeroblob(32)",
        "number = number + 1000",
    ];
    // Each damage is made in a transaction that is undone, on the store as an administrator could open it.
    world.ward.shared.with_writer(|connection| {
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        let mut tried = 0;
        let mut is_found = |sql: &str, row: i64| {
            let transaction = connection.transaction().unwrap();
            transaction.execute(sql, [row]).unwrap();
            let verified = crate::ward::audit::verify(&transaction);
            tried += 1;
            // A column of another length than ever written is an error, and that is found as well.
            assert!(
                !verified.is_ok_and(|verified| verified.is_sound()),
                "{sql} at {row}"
            );
        };
        for row in 1..=count {
            for column in columns {
                if column.starts_with("number") && row == count {
                    continue;
                }
                is_found(&format!("UPDATE audit SET {column} WHERE number = ?1"), row);
            }
            // What is cut off at the very end nobody but a witness can tell, unless the feed goes on.
            if row < count {
                is_found("DELETE FROM audit WHERE number = ?1", row);
            }
        }
        let pairs = (1..count).flat_map(|row| (row + 1..=count).map(move |other| (row, other)));
        for (row, other) in pairs {
            let transaction = connection.transaction().unwrap();
            for (from, to) in [(row, -1), (other, row), (-1, other)] {
                transaction
                    .execute(
                        "UPDATE audit SET number = ?2 WHERE number = ?1",
                        params![from, to],
                    )
                    .unwrap();
            }
            let verified = crate::ward::audit::verify(&transaction).unwrap();
            assert!(!verified.is_sound(), "{row} and {other} swapped");
        }
        assert!(tried > 200);
    });
    assert!(world.ward.verify_audit().unwrap().is_sound());
}

#[test]
fn a_trail_cut_before_the_end_of_the_feed_is_found_without_a_witness() {
    let world = busy();
    world.ward.shared.with_writer(|connection| {
        connection
            .execute("DELETE FROM audit_subjects WHERE number > 5", [])
            .unwrap();
        connection
            .execute("DELETE FROM audit WHERE number > 5", [])
            .unwrap();
    });
    let verified = world.ward.verify_audit().unwrap();
    assert_eq!(verified.findings, [Finding::Unfinished(5)]);
}

#[test]
fn strangers_cannot_fill_the_trail() {
    let world = World::new();
    let knock = |number: u16| {
        let mut device = DeviceId([7; 32]);
        device.0[..2].copy_from_slice(&number.to_be_bytes());
        let request = EnrolmentRequest {
            token: [9; 16],
            device_name: String::new(),
        };
        world.ward.enrol(device, &request).unwrap().unwrap_err();
    };
    (0..300).for_each(knock);
    assert_eq!(told(&world.ward).len(), 1 + 100);
    world.environment.advance(11 * 60 * 1000);
    knock(300);
    assert_eq!(
        told(&world.ward).last().unwrap(),
        "invite_used unknown stranger unnoted_before=200"
    );
    assert!(world.ward.verify_audit().unwrap().is_sound());
}

#[test]
fn a_device_that_sends_nonsense_cannot_fill_the_trail() {
    use gandan_core::protocol::responder::WardCommand;
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ồn", None);
    phone.send(&world.ward, std::slice::from_ref(&case));
    let before = told(&world.ward).len();
    for number in 0..300_u32 {
        let nonsense = WardCommand::Admit(number.to_be_bytes().to_vec());
        world.ward.execute(phone.device(), nonsense).unwrap();
        phone.send(&world.ward, std::slice::from_ref(&case));
    }
    assert_eq!(told(&world.ward).len(), before + 100);
    // What changes something is told all the same, and other devices are not counted with it.
    let note = phone.note(&case, "thêm");
    phone.send(&world.ward, &[note]);
    let other = Phone::enrol(&world, 2, Role::Officer, &[]);
    other.send(&world.ward, std::slice::from_ref(&case));
    let told = told(&world.ward);
    assert_eq!(told[before + 100], "admission accepted device accepted=1");
    assert_eq!(
        told.last().unwrap(),
        "admission duplicate device duplicate=1"
    );
    assert!(world.ward.verify_audit().unwrap().is_sound());
}

#[test]
fn what_a_trail_was_about_can_be_forgotten_and_the_chain_still_holds() {
    let world = busy();
    let about = |ward: &Ward| -> Vec<String> {
        ward.read(|connection| {
            connection
                .prepare("SELECT DISTINCT subject FROM audit_subjects WHERE subject LIKE 'case:%'")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
        .unwrap()
    };
    let [case] = &about(&world.ward)[..] else {
        panic!("one case")
    };
    let uuid = case.strip_prefix("case:").unwrap().parse().unwrap();
    let document = gandan_core::model::DocumentId::case(uuid);
    world
        .ward
        .write(|work| work.forget_in_audit(document.into()))
        .unwrap();
    assert_eq!(about(&world.ward), [""; 0]);
    assert_eq!(
        told(&world.ward).last().unwrap(),
        "subjects_forgotten done ward entries=4"
    );
    let verified = world.ward.verify_audit().unwrap();
    assert!(verified.is_sound(), "{:?}", verified.findings);
    // Somebody who takes one more away is found.
    world.ward.shared.with_writer(|connection| {
        connection
            .execute(
                "UPDATE audit SET subjects = NULL, salt = NULL WHERE number = 2",
                [],
            )
            .unwrap();
    });
    assert!(!world.ward.verify_audit().unwrap().is_sound());
}

/// Writes the trail anew from entry `from` on, as somebody would who knows how it is made: every chain fits.
fn forge(connection: &mut rusqlite::Connection, from: i64) {
    let transaction = connection.transaction().unwrap();
    transaction
        .execute(
            "UPDATE audit SET outcome = 'refused' WHERE number = ?1",
            [from],
        )
        .unwrap();
    crate::ward::audit::chain_again(&transaction);
    transaction.commit().unwrap();
}

#[test]
fn what_was_cut_off_or_written_anew_with_all_hashes_is_found_by_whoever_witnessed_it() {
    let world = busy();
    let count = i64::try_from(world.ward.verify_audit().unwrap().entries).unwrap();
    let witnessed = world.ward.checkpoint().unwrap();
    let sound = world
        .ward
        .verify_audit_against(std::slice::from_ref(&witnessed))
        .unwrap();
    assert_eq!((sound.is_sound(), sound.witnessed), (true, 1));
    // `outcome` of the ninth is 'refused' already.
    let forgeable = (1..=count).filter(|number| ![9, 12].contains(number));
    for number in forgeable {
        let copy = World::copy_of(&world);
        copy.ward
            .shared
            .with_writer(|connection| forge(connection, number));
        let alone = copy.ward.verify_audit().unwrap();
        let against = copy
            .ward
            .verify_audit_against(std::slice::from_ref(&witnessed))
            .unwrap();
        // By itself a forged trail is as good as any; `ward_made` and the like end in `done`.
        assert!(alone.is_sound(), "{number}: {:?}", alone.findings);
        let last = u64::try_from(count).unwrap();
        assert_eq!(against.findings, [Finding::NotAsWitnessed(last)]);
    }
    // Cut off at the very end, where the feed does not go on.
    let copy = World::copy_of(&world);
    copy.ward.shared.with_writer(|connection| {
        for table in ["audit_subjects", "audit"] {
            connection
                .execute(&format!("DELETE FROM {table} WHERE number = ?1"), [count])
                .unwrap();
        }
    });
    assert!(copy.ward.verify_audit().unwrap().is_sound());
    let against = copy
        .ward
        .verify_audit_against(std::slice::from_ref(&witnessed))
        .unwrap();
    let last = u64::try_from(count).unwrap();
    assert_eq!(against.findings, [Finding::EndsBefore(last)]);
    // What the ward did not sign is no checkpoint.
    let mut forged = witnessed;
    forged.number += 1;
    let against = world.ward.verify_audit_against(&[forged]).unwrap();
    assert_eq!(against.findings, [Finding::ForgedCheckpoint(last + 1)]);
}

#[test]
fn what_was_witnessed_after_a_backup_is_lost_with_it_and_the_trail_says_so() {
    let world = busy();
    let backup = World::copy_of(&world);
    world
        .ward
        .officer("Sau bản sao lưu", Role::Officer, &[])
        .unwrap();
    world.ward.officer("Sau nữa", Role::Officer, &[]).unwrap();
    let witnessed = world.ward.checkpoint().unwrap();
    backup.ward.begin_after_restore().unwrap();
    let verified = backup.ward.verify_audit_against(&[witnessed]).unwrap();
    assert_eq!(verified.lost_in_restore, 1);
    assert!(verified.is_sound(), "{:?}", verified.findings);
}
