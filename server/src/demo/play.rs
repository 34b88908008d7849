//! The acts of the afternoon, in order: enrol, record without a network, synchronise, the office
//! works, the officers work without a network again, the answers are brought.

use std::collections::HashMap;

use gandan_core::client::{self, SyncReport};
use gandan_core::model::{Directory, Satisfaction};
use gandan_core::protocol::initiator::Progress;
use gandan_core::replica::{CaseChange, NewCase, NewVisit};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::afternoon::{Afternoon, Case, Visit};
use super::stage::{Phone, Stage, after};
use super::{DemoError, Voice, office, photos};

/// How much of a text one line of the story shows, in characters.
const EXCERPT_CHARACTERS: usize = 64;

/// One conversation that took place.
pub(super) struct Conversation {
    /// Whose phone.
    pub(super) phone: &'static str,
    pub(super) report: SyncReport,
}

/// The cases that later acts speak of.
pub(super) type Cases = HashMap<String, Uuid>;

pub(super) fn play(
    stage: &Stage,
    runtime: &Runtime,
    address: &str,
    voice: &mut Voice,
) -> Result<Vec<Conversation>, DemoError> {
    let mut said = Vec::new();
    let directory = stage.ward.directory()?;
    voice.say(format_args!(
        "{} ({}), {}",
        directory.ward_name, directory.ward, directory.province
    ));
    for old in &directory.old_wards {
        voice.say(format_args!("  gồm {}, {} cũ", old.name, old.district));
    }

    voice.say(format_args!(
        "\n1. Ghi danh hai điện thoại qua QUIC {address} · Two phones enrol"
    ));
    for phone in &stage.phones {
        runtime.block_on(phone.enrol(&stage.ward, address))?;
        said.push(synchronise(phone, runtime, voice)?);
    }

    voice.say(format_args!(
        "\n2. Buổi chiều không có mạng · An afternoon without a network"
    ));
    let cases = record_afternoon(stage, &directory, voice)?;

    voice.say(format_args!("\n3. Có mạng, đồng bộ · The network is back"));
    for phone in stage.phones.iter().chain(stage.phones.first()) {
        said.push(synchronise(phone, runtime, voice)?);
    }

    voice.say(format_args!(
        "\n4. {} tiếp nhận, giao việc, trả lời · The office accepts, assigns, answers",
        stage.triage.name
    ));
    office::work(stage, &cases, voice)?;

    voice.say(format_args!(
        "\n5. Hai cán bộ lại mất mạng, cùng ghi vào một hồ sơ · Both work on one case, offline"
    ));
    work_on_one_case(stage, &cases, voice)?;
    // Hương is first and hears what Khánh wrote only when she asks again.
    for phone in stage.phones.iter().chain(stage.phones.first()) {
        said.push(synchronise(phone, runtime, voice)?);
    }

    voice.say(format_args!(
        "\n6. Mang câu trả lời đến nhà dân · The answers are brought to the door"
    ));
    deliver(stage, &cases, voice)?;
    for phone in stage.phones.iter().chain(stage.phones.first()) {
        said.push(synchronise(phone, runtime, voice)?);
    }
    office::close(stage, &cases, voice)?;
    for phone in &stage.phones {
        said.push(synchronise(phone, runtime, voice)?);
    }
    Ok(said)
}

fn synchronise(
    phone: &Phone,
    runtime: &Runtime,
    voice: &mut Voice,
) -> Result<Conversation, DemoError> {
    voice.say(format_args!("  {}", phone.officer.name));
    let mut show = |progress: &Progress| {
        match progress {
        Progress::Welcomed => voice.say(format_args!("    phường nhận ra máy · welcomed")),
        Progress::Verdicts {
            accepted,
            rejected,
            waiting,
        } => voice.say(format_args!(
            "    ↑ {accepted} sửa đổi đã nhận, {rejected} từ chối, {waiting} chờ · accepted, refused, waiting"
        )),
        Progress::Received { edits } => voice.say(format_args!(
            "    ↓ {edits} sửa đổi của người khác · edits of others"
        )),
        Progress::AttachmentKept { .. } | Progress::AttachmentMissing(_) => {}
        Progress::AttachmentPostponed(hash) => {
            voice.say(format_args!("    … ảnh {} · photo postponed", &hash.to_string()[..12]));
        }
        Progress::AttachmentStored(hash) => {
            voice.say(format_args!("    ↑ ảnh {} · photo stored", &hash.to_string()[..12]));
        }
        Progress::AttachmentRefused(hash) => {
            voice.say(format_args!("    ✗ ảnh {} · photo refused", &hash.to_string()[..12]));
        }
        Progress::CaughtUp => voice.say(format_args!("    xong · caught up")),
    }
    };
    let report = runtime.block_on(client::sync(&phone.replica, &mut show))?;
    voice.say(format_args!(
        "    gửi {} nhận {} · ↑ {} ↓ {} byte UDP, {} vòng, {} ms, còn chờ {}",
        report.sent,
        report.received,
        report.bytes_up,
        report.bytes_down,
        report.round_trips,
        report.milliseconds,
        report.pending
    ));
    Ok(Conversation {
        phone: phone.officer.short,
        report,
    })
}

fn record_afternoon(
    stage: &Stage,
    directory: &Directory,
    voice: &mut Voice,
) -> Result<Cases, DemoError> {
    let mut cases = Cases::new();
    let mut photo_seed = 0;
    for visit in &Afternoon::load().visits {
        let phone = stage.phone(&visit.officer);
        let begin = after(stage.midnight, visit.start_minute());
        phone.clock.set(begin);
        let id = phone.replica.start_visit(NewVisit {
            area: Some(visit.area.clone()),
            place: Some(visit.place.clone()),
            summary: visit.summary.clone(),
            ..NewVisit::default()
        })?;
        voice.say(format_args!(
            "  {} {} · {} — {}",
            visit.start,
            phone.officer.name,
            area_name(directory, &visit.area),
            visit.place
        ));
        for case in &visit.cases {
            phone.clock.set(after(begin, case.at));
            let recorded = record(phone, visit, id, case, directory, voice)?;
            if let Some(scene) = &case.photo {
                photo_seed += 1;
                let (name, bytes) = photos::draw(scene, photo_seed);
                phone.replica.attach(recorded, &name, &bytes)?;
            }
            if let Some(name) = &case.name {
                cases.insert(name.clone(), recorded);
            }
        }
        phone.clock.set(after(begin, visit.minutes));
        phone.replica.end_visit(id, Some(visit.result.clone()))?;
    }
    Ok(cases)
}

fn record(
    phone: &Phone,
    visit: &Visit,
    visit_id: Uuid,
    case: &Case,
    directory: &Directory,
    voice: &mut Voice,
) -> Result<Uuid, DemoError> {
    let is_stop_card = case.paper_reference.is_some();
    let recorded = phone.replica.record_case(NewCase {
        // A visit tells the place, and a place tells who denounced.
        visit: (!is_stop_card).then_some(visit_id),
        area: Some(case.area.as_ref().unwrap_or(&visit.area).clone()),
        kind: case.kind(),
        category: case.category.clone(),
        urgency: case.urgency(),
        source: case.source(),
        text: case.text.clone(),
        households: case.households,
        location: case.location(),
        citizen: case.citizen(),
        paper_reference: case.paper_reference.clone(),
        ..NewCase::default()
    })?;
    if let Some(note) = &case.note {
        phone.replica.add_note(recorded.id, note)?;
    }
    if let Some(reason) = &case.void {
        phone.replica.void_case(recorded.id, reason)?;
    }
    voice.say(format_args!(
        "    {}  {}, {}{}{}  {}",
        recorded.code,
        case.kind().map_or("", |kind| kind.label()),
        category_name(directory, &case.category),
        if case.citizen.is_none() {
            ", không nêu tên"
        } else {
            ""
        },
        if case.photo.is_some() {
            ", có ảnh"
        } else {
            ""
        },
        excerpt(&case.text),
    ));
    Ok(recorded.id)
}

/// Both officers and the office change one case without knowledge of each other.
fn work_on_one_case(stage: &Stage, cases: &Cases, voice: &mut Voice) -> Result<(), DemoError> {
    for phone in &stage.phones {
        phone.clock.follow_the_system();
    }
    let (huong, khanh) = (stage.phone("huong"), stage.phone("khanh"));
    let flood = cases["flood_huong"];
    huong.replica.edit_case(
        flood,
        CaseChange {
            households_by: Some(3),
            urgency: Some(gandan_core::model::Urgency::Urgent),
            ..CaseChange::default()
        },
    )?;
    huong.replica.add_note(
        flood,
        "Chị Hạnh báo thêm ba hộ đầu hẻm; dự báo tối nay lại mưa lớn.",
    )?;
    khanh.replica.edit_case(
        flood,
        CaseChange {
            households_by: Some(5),
            ..CaseChange::default()
        },
    )?;
    khanh.replica.add_note(
        flood,
        "Xem lại cùng tổ trưởng: năm hộ phía Lạc Long Quân cũng ngập, nguồn là miệng cống bị bít.",
    )?;
    office::change_urgency(stage, flood)?;
    voice.say(format_args!(
        "    Hương thêm 3 hộ và một ghi chú, Khánh thêm 5 hộ và một ghi chú; Hương và văn phòng đổi mức khẩn khác nhau"
    ));
    Ok(())
}

fn deliver(stage: &Stage, cases: &Cases, voice: &mut Voice) -> Result<(), DemoError> {
    let (huong, khanh) = (stage.phone("huong"), stage.phone("khanh"));
    huong
        .replica
        .mark_delivered(cases["manhole"], Satisfaction::Satisfied)?;
    voice.say(format_args!(
        "    {} báo chị Lựu: nắp hố ga đã thay. Hài lòng · satisfied",
        huong.officer.name
    ));
    khanh
        .replica
        .mark_delivered(cases["stairs"], Satisfaction::NotSatisfied)?;
    khanh.replica.add_note(
        cases["stairs"],
        "Đã đọc câu trả lời cho chú Sơn. Chú cảm ơn vì có người xuống nhưng chưa hài lòng: chưa có ngày chống tạm.",
    )?;
    voice.say(format_args!(
        "    {} báo chú Sơn: đã có lịch kiểm định cầu thang. Chưa hài lòng · not satisfied",
        khanh.officer.name
    ));
    Ok(())
}

/// `Khu phố 2 (Phường 6)`: names repeat inside a merged ward.
fn area_name(directory: &Directory, code: &str) -> String {
    let find = |code: &str| directory.areas.iter().find(|area| area.code == code);
    match find(code) {
        Some(area) => match area.parent.as_deref().and_then(find) {
            Some(parent) => format!("{} ({})", area.name, parent.name),
            None => area.name.clone(),
        },
        None => code.to_owned(),
    }
}

fn category_name<'a>(directory: &'a Directory, code: &'a str) -> &'a str {
    directory
        .categories
        .iter()
        .find(|category| category.code == code)
        .map_or(code, |category| &category.name)
}

fn excerpt(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut shown: String = text.chars().take(EXCERPT_CHARACTERS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("“{shown}”")
}
