//! Signing in, and the ward's reference data.

use std::sync::Arc;

use gandan_core::environment::SystemEnvironment;
use gandan_core::model::{Area, Role};

use super::fixture::{TestEnvironment, World, code};
use crate::register;
use crate::ward::{Factor, Origin, STORE_FILE, STORE_KEY_FILE, Ward, WardError};

const PASSWORD: &str = "đèn đỏ 1975";

/// The token, if the password is right.
fn sign_in(world: &World, login: &str, password: &str) -> Result<Option<String>, WardError> {
    let signed_in = world.ward.sign_in(&Origin::default(), login, password)?;
    Ok(signed_in.map(|signed_in| signed_in.token))
}

fn with_clerk() -> World {
    let world = World::new();
    world
        .ward
        .add_staff("hanh", "Ngô Thị Hạnh", Role::Triage, PASSWORD)
        .unwrap();
    world
}

#[test]
fn the_right_password_gives_a_session_that_sign_out_ends() {
    let world = with_clerk();
    let token = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    assert_eq!(token.len(), 64);
    let staff = world.ward.session(&token).unwrap().unwrap();
    assert_eq!(
        (&staff.login[..], staff.author.role),
        ("hanh", Role::Triage)
    );
    world.ward.sign_out(&token).unwrap();
    assert_eq!(world.ward.session(&token).unwrap(), None);
}

#[test]
fn a_wrong_password_and_an_unknown_login_look_the_same() {
    let world = with_clerk();
    assert_eq!(sign_in(&world, "hanh", "đèn xanh 1975").unwrap(), None);
    assert_eq!(sign_in(&world, "nobody", PASSWORD).unwrap(), None);
    assert_eq!(sign_in(&world, "hanh", &"x".repeat(10_000)).unwrap(), None);
}

#[test]
fn another_password_takes_the_old_ones_place_and_ends_every_session() {
    let world = with_clerk();
    let token = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    world.ward.set_password("hanh", "hoa giấy 1986").unwrap();
    assert_eq!(world.ward.session(&token).unwrap(), None);
    assert_eq!(sign_in(&world, "hanh", PASSWORD).unwrap(), None);
    world.environment.advance(60_000);
    assert!(sign_in(&world, "hanh", "hoa giấy 1986").unwrap().is_some());
    assert!(matches!(
        world.ward.set_password("nobody", "hoa giấy 1986"),
        Err(WardError::NotFound("login"))
    ));
    assert!(matches!(
        world.ward.set_password("hanh", "ngắn"),
        Err(WardError::Invalid(_))
    ));
}

#[test]
fn a_session_ends_when_nobody_uses_it_and_after_a_long_day() {
    let world = with_clerk();
    let token = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    world.environment.advance(29 * 60 * 1000);
    assert!(world.ward.session(&token).unwrap().is_some());
    world.environment.advance(31 * 60 * 1000);
    assert!(world.ward.session(&token).unwrap().is_none());

    let token = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    for _ in 0..29 {
        world.environment.advance(25 * 60 * 1000 - 1);
        let is_alive = world.ward.session(&token).unwrap().is_some();
        if !is_alive {
            return;
        }
    }
    panic!("the session lives longer than twelve hours");
}

#[test]
fn guessing_is_slowed_down_but_nobody_is_locked_out() {
    let world = with_clerk();
    for _ in 0..5 {
        assert_eq!(sign_in(&world, "hanh", "sai sai sai").unwrap(), None);
    }
    assert!(matches!(
        sign_in(&world, "hanh", PASSWORD),
        Err(WardError::TooManyAttempts)
    ));
    // From elsewhere it is not slowed down, and in half a minute nowhere.
    let elsewhere = Origin {
        address: "10.0.0.7".to_owned(),
        ..Origin::default()
    };
    assert!(
        world
            .ward
            .sign_in(&elsewhere, "hanh", PASSWORD)
            .unwrap()
            .is_some()
    );
    for _ in 0..20 {
        world.environment.advance(30_000);
        assert_eq!(sign_in(&world, "hanh", "sai sai sai").unwrap(), None);
    }
    world.environment.advance(30_000);
    assert!(sign_in(&world, "hanh", PASSWORD).unwrap().is_some());
}

#[test]
fn neither_password_nor_token_is_stored() {
    let world = with_clerk();
    let token = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    let token = data_encoding::HEXLOWER.decode(token.as_bytes()).unwrap();
    let stored: Vec<Vec<u8>> = world
        .ward
        .read(|connection| {
            connection
                .prepare(
                    "SELECT token_hash FROM sessions UNION ALL SELECT password_hash FROM staff",
                )?
                .query_map([], |row| row.get(0))?
                .collect()
        })
        .unwrap();
    assert_eq!(stored.len(), 2);
    assert!(
        stored
            .iter()
            .all(|value| *value != token && *value != PASSWORD.as_bytes())
    );
}

#[test]
fn what_cannot_be_a_login_or_a_password_is_refused_with_the_rule() {
    let world = with_clerk();
    let add = |login: &str, role, password: &str| world.ward.add_staff(login, "X", role, password);
    assert!(matches!(
        add("hanh", Role::Triage, PASSWORD),
        Err(WardError::Taken("login"))
    ));
    assert!(matches!(
        add("Hạnh", Role::Triage, PASSWORD),
        Err(WardError::Invalid(_))
    ));
    assert!(matches!(
        add("an", Role::Officer, PASSWORD),
        Err(WardError::Invalid(_))
    ));
    assert!(matches!(
        add("an", Role::Chair, "ngắn"),
        Err(WardError::Invalid(_))
    ));
}

#[test]
fn a_new_ward_knows_its_name_old_wards_areas_divisions_and_categories() {
    let world = World::new();
    let directory = world.ward.directory().unwrap();
    assert_eq!(directory.ward_name, "Phường Tân Hòa");
    assert_eq!(directory.province, "Thành phố Hồ Chí Minh");
    assert_eq!(directory.old_wards.len(), 3);
    assert_eq!(directory.areas.len(), 3);
    assert_eq!(directory.divisions.len(), 6);
    assert!(directory.categories.len() > 20);
}

#[test]
fn areas_come_after_the_area_above_them() {
    let world = World::new();
    let sample = register::parse_areas(register::SAMPLE_AREAS_26995).unwrap();
    world.ward.add_areas(&sample).unwrap();
    world.ward.add_areas(&sample).unwrap();
    let areas = world.ward.directory().unwrap().areas;
    assert_eq!(areas.len(), 21);
    for (index, area) in areas.iter().enumerate() {
        if let Some(parent) = &area.parent {
            assert!(areas[..index].iter().any(|other| other.code == *parent));
        }
    }
    let orphan = Area {
        code: "orphan".to_owned(),
        parent: Some("nowhere".to_owned()),
        ..sample[0].clone()
    };
    assert!(matches!(
        world.ward.add_area(&orphan),
        Err(WardError::Invalid(_))
    ));
    assert_eq!(world.ward.directory().unwrap().areas.len(), 21);
}

#[test]
fn an_officer_of_the_same_name_and_role_is_the_same() {
    let world = World::new();
    let areas = ["26998".to_owned()];
    let first = world
        .ward
        .officer("Lê Văn An", Role::Officer, &areas)
        .unwrap();
    assert_eq!(
        world.ward.officer("Lê Văn An", Role::Officer, &[]).unwrap(),
        first
    );
    assert_ne!(
        world.ward.officer("Lê Văn An", Role::Leader, &[]).unwrap(),
        first
    );
    let unknown = world
        .ward
        .officer("B", Role::Officer, &["Khu phố 99".to_owned()]);
    assert!(matches!(unknown, Err(WardError::Invalid(_))));
}

#[test]
fn a_ward_is_made_once_and_opened_only_where_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let environment = TestEnvironment::new(1);
    assert!(matches!(
        Ward::open(folder.path(), environment.clone()),
        Err(WardError::NotInitialised)
    ));
    let ward = Ward::init(folder.path(), code(), environment.clone()).unwrap();
    let again = Ward::init(folder.path(), code(), environment.clone());
    assert!(matches!(again, Err(WardError::AlreadyInitialised)));
    assert_eq!(
        Ward::open(folder.path(), environment).unwrap().key(),
        ward.key()
    );
    assert!(matches!(
        Ward::init(
            folder.path(),
            "99999".parse().unwrap(),
            Arc::new(SystemEnvironment)
        ),
        Err(WardError::UnknownWard)
    ));
}

#[cfg(unix)]
#[test]
fn the_key_of_the_store_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let key = world.folder.path().join(STORE_KEY_FILE);
    assert_eq!(
        std::fs::metadata(key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let header = std::fs::read(world.folder.path().join(STORE_FILE)).unwrap();
    assert!(!header.starts_with(b"SQLite format 3"));
}

/// What an authenticator shows at the world's time.
fn code_now(world: &World, secret: &str) -> String {
    let totp = totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    let seconds = u64::try_from(world.ward.now().0 / 1_000).unwrap();
    totp.generate(seconds).to_string()
}

/// Turns the factor of `hanh` on: gives its secret and the recovery codes.
fn with_factor(world: &World) -> (gandan_core::model::OfficerId, String, Vec<String>) {
    let token = sign_in(world, "hanh", PASSWORD).unwrap().unwrap();
    let officer = world.ward.session(&token).unwrap().unwrap().author.officer;
    let secret = world.ward.begin_second_factor(officer, "hanh").unwrap();
    let secret = secret.base32.to_string();
    let code = code_now(world, &secret);
    let codes = world.ward.confirm_second_factor(officer, &code).unwrap();
    world.environment.advance(30_000);
    (officer, secret, codes.expect("the code is right"))
}

#[test]
fn a_second_factor_stands_between_the_password_and_the_session() {
    let world = with_clerk();
    let (officer, secret, recovery) = with_factor(&world);
    assert_eq!(recovery.len(), 10);
    assert!(
        world.ward.begin_second_factor(officer, "hanh").is_err(),
        "its secret is not shown again"
    );

    let signed_in = world.ward.sign_in(&Origin::default(), "hanh", PASSWORD);
    let signed_in = signed_in.unwrap().unwrap();
    assert!(signed_in.awaits_code);
    let token = signed_in.token;
    assert_eq!(world.ward.session(&token).unwrap(), None);
    assert_eq!(world.ward.give_code(&token, "000000").unwrap(), None);
    assert_eq!(world.ward.session(&token).unwrap(), None);
    let code = code_now(&world, &secret);
    let renewed = world.ward.give_code(&token, &code).unwrap().unwrap();
    assert!(world.ward.session(&renewed).unwrap().is_some());
    assert_eq!(world.ward.session(&token).unwrap(), None, "it is another");

    // A code that somebody looked over the shoulder at is used already, and so are older ones.
    let again = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    assert_eq!(world.ward.give_code(&again, &code).unwrap(), None);
    // A recovery code works once, however it is typed.
    let typed = recovery[3].to_lowercase().replace('-', " ");
    assert!(world.ward.give_code(&again, &typed).unwrap().is_some());
    let third = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    assert_eq!(world.ward.give_code(&third, &recovery[3]).unwrap(), None);
    let factor = world.ward.second_factor(officer).unwrap();
    assert_eq!(factor, Factor::On { recovery_codes: 9 });

    // Five minutes later the password has to be typed again.
    world.environment.advance(5 * 60 * 1000);
    let code = code_now(&world, &secret);
    assert_eq!(world.ward.give_code(&third, &code).unwrap(), None);
}

#[test]
fn guessing_codes_is_slowed_down_wherever_it_comes_from() {
    let world = with_clerk();
    let (officer, secret, _) = with_factor(&world);
    for place in 0..5 {
        let origin = Origin {
            address: format!("10.0.0.{place}"),
            ..Origin::default()
        };
        let signed_in = world.ward.sign_in(&origin, "hanh", PASSWORD).unwrap();
        let token = signed_in.unwrap().token;
        assert_eq!(world.ward.give_code(&token, "000000").unwrap(), None);
    }
    let token = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    let code = code_now(&world, &secret);
    for refused in [
        world.ward.give_code(&token, &code),
        world
            .ward
            .remove_second_factor(officer, &code)
            .map(|_| None),
    ] {
        assert!(matches!(refused, Err(WardError::TooManyAttempts)));
    }
    world.environment.advance(30_000);
    let code = code_now(&world, &secret);
    assert!(world.ward.give_code(&token, &code).unwrap().is_some());
}

#[test]
fn whoever_lost_phone_and_codes_is_helped_by_the_administrator() {
    let world = with_clerk();
    let (officer, _, _) = with_factor(&world);
    world.ward.reset_second_factor("hanh").unwrap();
    assert_eq!(world.ward.second_factor(officer).unwrap(), Factor::Off);
    let token = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    assert!(world.ward.session(&token).unwrap().is_some());
    assert!(matches!(
        world.ward.reset_second_factor("nobody"),
        Err(WardError::NotFound("login"))
    ));
}

#[test]
fn one_sees_and_ends_ones_own_sessions() {
    let world = with_clerk();
    let first = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    world.environment.advance(60_000);
    let lost = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    world.environment.advance(60_000);
    let here = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    world
        .ward
        .add_staff("dung", "Nguyễn Thị Dung", Role::Triage, "đèn vàng 1986")
        .unwrap();
    let other = sign_in(&world, "dung", "đèn vàng 1986").unwrap().unwrap();
    let officer = world.ward.session(&here).unwrap().unwrap().author.officer;
    let sessions = world.ward.sessions(officer, &here).unwrap();
    let is_this: Vec<_> = sessions.iter().map(|session| session.is_this).collect();
    assert_eq!(is_this, [true, false, false]);

    let named = Some(sessions[1].id.as_str());
    assert_eq!(world.ward.end_sessions(officer, &here, named).unwrap(), 1);
    assert_eq!(world.ward.session(&lost).unwrap(), None);
    assert!(world.ward.session(&first).unwrap().is_some());
    assert_eq!(world.ward.end_sessions(officer, &here, None).unwrap(), 1);
    assert_eq!(world.ward.session(&first).unwrap(), None);
    assert!(world.ward.session(&here).unwrap().is_some());
    // Nobody ends a session of somebody else by its name.
    let of_other = world.ward.session(&other).unwrap().unwrap().author.officer;
    let id = world.ward.sessions(of_other, &other).unwrap()[0].id.clone();
    assert_eq!(
        world.ward.end_sessions(officer, &here, Some(&id)).unwrap(),
        0
    );
    assert!(world.ward.session(&other).unwrap().is_some());
    world.ward.sign_out_everywhere("hanh").unwrap();
    assert_eq!(world.ward.session(&here).unwrap(), None);
}

#[test]
fn ones_own_password_is_changed_with_the_old_one_and_ends_other_sessions() {
    let world = with_clerk();
    let other = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    let here = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    let change = |old, new| world.ward.change_password("hanh", &here, old, new);
    assert!(!change("sai sai sai", "hoa giấy 1986").unwrap());
    assert!(matches!(
        change(PASSWORD, "ngắn"),
        Err(WardError::Invalid(_))
    ));
    assert!(change(PASSWORD, "hoa giấy 1986").unwrap());
    assert_eq!(world.ward.session(&other).unwrap(), None);
    assert!(world.ward.session(&here).unwrap().is_some());
    assert!(sign_in(&world, "hanh", "hoa giấy 1986").unwrap().is_some());
}

#[test]
fn a_password_that_everybody_tries_first_is_refused() {
    let world = World::new();
    for easy in [
        "12345678",
        "password1",
        "matkhau1",
        "hanh26995",
        "qwertyuiop",
        "phuong26995",
    ] {
        let added = world
            .ward
            .add_staff("hanh", "Ngô Thị Hạnh", Role::Triage, easy);
        assert!(matches!(added, Err(WardError::Invalid(_))), "{easy}");
    }
}

#[test]
fn somebody_who_left_signs_in_no_more_and_what_they_did_stays_theirs() {
    let world = with_clerk();
    let token = sign_in(&world, "hanh", PASSWORD).unwrap().unwrap();
    let (officer, _, _) = with_factor(&world);
    assert!(world.ward.staff().unwrap()[0].has_second_factor);
    world.ward.remove_staff("hanh").unwrap();
    assert_eq!(sign_in(&world, "hanh", PASSWORD).unwrap(), None);
    assert_eq!(world.ward.session(&token).unwrap(), None);
    assert!(world.ward.staff().unwrap().is_empty());
    let known = world.ward.directory().unwrap().officers;
    assert!(known.iter().any(|known| known.id == officer));
    assert!(matches!(
        world.ward.remove_staff("hanh"),
        Err(WardError::NotFound("login"))
    ));
}
