//! What came of the afternoon, counted in the stores of the ward and of the phones; nothing here is
//! known beforehand.

use std::collections::BTreeMap;

use gandan_core::model::{Satisfaction, Status};
use gandan_core::replica::SyncState;
use gandan_core::store::rows::{self, CaseQuery};
use serde_json::{Value, json};

use super::play::Conversation;
use super::stage::{Phone, Stage};
use super::{DemoError, Voice};

/// More than one afternoon has.
const VISITS_MAX: u32 = 1_000;

/// Counts, figures and the comparison of every replica with the ward.
pub(super) struct Summary {
    ward: String,
    visits: usize,
    people: usize,
    photos: usize,
    cases: usize,
    statuses: BTreeMap<&'static str, usize>,
    official_numbers: Vec<String>,
    delivered: usize,
    satisfied: usize,
    not_satisfied: usize,
    conflicts: usize,
    phones: Vec<PhoneSummary>,
    conversations: Value,
    totals: BTreeMap<&'static str, u64>,
}

struct PhoneSummary {
    phone: &'static str,
    cases: usize,
    states: BTreeMap<&'static str, usize>,
    pending: usize,
    rejected: usize,
    rows_that_differ: usize,
    digest: String,
    ward_digest: String,
}

impl Summary {
    pub(super) fn of(stage: &Stage, said: &[Conversation]) -> Result<Self, DemoError> {
        let ward = &stage.ward;
        let all = CaseQuery::default();
        let (rows, visits, people) = ward.read(|connection| {
            let rows = rows::cases(connection, &all)?;
            let mut people = 0;
            for row in &rows {
                people += usize::from(rows::person(connection, row.case.id)?.is_some());
            }
            Ok((rows, rows::visits(connection, VISITS_MAX)?.len(), people))
        })?;
        let mut statuses = BTreeMap::new();
        for row in &rows {
            *statuses.entry(row.case.status.code()).or_insert(0) += 1;
        }
        let mut official_numbers: Vec<_> = rows
            .iter()
            .filter_map(|row| row.case.official_number.clone())
            .collect();
        official_numbers.sort();
        let count =
            |is_one: fn(&rows::CaseRow) -> bool| rows.iter().filter(|row| is_one(row)).count();
        Ok(Self {
            ward: ward.code().to_string(),
            visits,
            people,
            photos: rows.iter().map(|row| row.attachment_count as usize).sum(),
            cases: rows.len(),
            statuses,
            official_numbers,
            delivered: count(|row| row.case.delivered_at.is_some()),
            satisfied: count(|row| row.case.satisfaction == Some(Satisfaction::Satisfied)),
            not_satisfied: count(|row| row.case.satisfaction == Some(Satisfaction::NotSatisfied)),
            conflicts: rows.iter().map(|row| row.conflict_count as usize).sum(),
            phones: stage
                .phones
                .iter()
                .map(|phone| PhoneSummary::of(phone, stage))
                .collect::<Result<_, _>>()?,
            conversations: conversations(said),
            totals: totals(said),
        })
    }

    /// Whether nothing is left on a phone, and every phone shows what the ward shows.
    pub(super) fn is_whole(&self) -> bool {
        self.phones.iter().all(PhoneSummary::is_whole)
    }

    pub(super) fn tell(&self, voice: &mut Voice) {
        voice.say(format_args!("\nTóm tắt · Summary"));
        voice.say(format_args!(
            "  {} hồ sơ của {} chuyến thăm, {} người dân nêu tên, {} ảnh · cases, visits, named citizens, photos",
            self.cases, self.visits, self.people, self.photos
        ));
        for status in Status::ALL {
            if let Some(count) = self.statuses.get(status.code()) {
                voice.say(format_args!("    {count:>3}  {}", status.label()));
            }
        }
        if let (Some(first), Some(last)) =
            (self.official_numbers.first(), self.official_numbers.last())
        {
            voice.say(format_args!(
                "  {} số hồ sơ, {first} đến {last} · official numbers",
                self.official_numbers.len()
            ));
        }
        voice.say(format_args!(
            "  {} câu trả lời đã mang đến: {} hài lòng, {} chưa · answers brought, satisfied, not yet",
            self.delivered, self.satisfied, self.not_satisfied
        ));
        voice.say(format_args!(
            "  {} chỗ có hai giá trị cùng lúc, chờ người chọn · concurrent values, for a person to choose",
            self.conflicts
        ));
        for phone in &self.phones {
            voice.say(format_args!(
                "  điện thoại {}: {} hồ sơ, {} trên máy chủ, chờ {}, từ chối {}; {} {} với phường · the phone shows what the ward shows",
                phone.phone,
                phone.cases,
                phone.states.get(SyncState::OnServer.code()).unwrap_or(&0),
                phone.pending,
                phone.rejected,
                &phone.digest[..16],
                if phone.is_equal() { "khớp" } else { "KHÔNG KHỚP" },
            ));
        }
        voice.say(format_args!(
            "  ↑ {} ↓ {} byte UDP, trong đó của ta ↑ {} ↓ {}",
            self.totals["bytes_up"],
            self.totals["bytes_down"],
            self.totals["payload_up"],
            self.totals["payload_down"]
        ));
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "ward": self.ward,
            "officers": self.phones.len(),
            "visits": self.visits,
            "cases": self.cases,
            "named_citizens": self.people,
            "photos": self.photos,
            "statuses": self.statuses,
            "accepted": self.official_numbers.len(),
            "official_numbers": self.official_numbers,
            "delivered": self.delivered,
            "satisfied": self.satisfied,
            "not_satisfied": self.not_satisfied,
            "conflicts": self.conflicts,
            "phones": self.phones.iter().map(PhoneSummary::to_json).collect::<Vec<_>>(),
            "conversations": self.conversations,
            "bytes_up": self.totals["bytes_up"],
            "bytes_down": self.totals["bytes_down"],
            "payload_up": self.totals["payload_up"],
            "payload_down": self.totals["payload_down"],
            "round_trips": self.totals["round_trips"],
            "pending": self.phones.iter().map(|phone| phone.pending).sum::<usize>(),
            "rejected": self.phones.iter().map(|phone| phone.rejected).sum::<usize>(),
            "all_on_server": self.phones.iter().all(PhoneSummary::is_on_server),
            "digests_equal": self.phones.iter().all(PhoneSummary::is_equal),
        })
    }
}

impl PhoneSummary {
    fn of(phone: &Phone, stage: &Stage) -> Result<Self, DemoError> {
        let mut cases = phone.replica.cases(&CaseQuery::default())?;
        cases.sort_by_key(|case| case.row.case.id);
        let (mut here, mut there) = (blake3::Hasher::new(), blake3::Hasher::new());
        let mut states = BTreeMap::new();
        for summary in &cases {
            *states.entry(summary.sync.code()).or_insert(0) += 1;
            let id = summary.row.case.id;
            let detail = phone.replica.case(id)?;
            let citizen = detail.as_ref().and_then(|detail| detail.citizen.clone());
            // A phone has the citizens of its own officer's cases only.
            let known = match citizen {
                Some(_) => stage.ward.read(|connection| rows::person(connection, id))?,
                None => None,
            };
            let case = detail.map(|detail| detail.case);
            here.update(format!("{case:?}{citizen:?}").as_bytes());
            there.update(format!("{:?}{known:?}", stage.ward.case(id)?).as_bytes());
        }
        Ok(Self {
            phone: phone.officer.short,
            cases: cases.len(),
            states,
            pending: phone.replica.pending()?.len(),
            rejected: phone.replica.rejected()?.len(),
            rows_that_differ: phone.replica.check()?.len(),
            digest: here.finalize().to_string(),
            ward_digest: there.finalize().to_string(),
        })
    }

    fn is_equal(&self) -> bool {
        self.digest == self.ward_digest
    }

    fn is_on_server(&self) -> bool {
        self.states
            .keys()
            .all(|state| *state == SyncState::OnServer.code())
    }

    fn is_whole(&self) -> bool {
        self.is_equal()
            && self.is_on_server()
            && self.pending + self.rejected + self.rows_that_differ == 0
    }

    fn to_json(&self) -> Value {
        json!({
            "phone": self.phone,
            "cases": self.cases,
            "sync": self.states,
            "pending": self.pending,
            "rejected": self.rejected,
            "rows_that_differ": self.rows_that_differ,
            "digest": self.digest,
            "ward_digest": self.ward_digest,
        })
    }
}

fn conversations(said: &[Conversation]) -> Value {
    said.iter()
        .map(|one| {
            json!({
                "phone": one.phone,
                "sent": one.report.sent,
                "received": one.report.received,
                "accepted": one.report.accepted,
                "rejected": one.report.rejected,
                "pending": one.report.pending,
                "bytes_up": one.report.bytes_up,
                "bytes_down": one.report.bytes_down,
                "payload_up": one.report.payload_up,
                "payload_down": one.report.payload_down,
                "round_trips": one.report.round_trips,
                "ms": one.report.milliseconds,
            })
        })
        .collect()
}

fn totals(said: &[Conversation]) -> BTreeMap<&'static str, u64> {
    let sum = |of: fn(&Conversation) -> u64| said.iter().map(of).sum();
    BTreeMap::from([
        ("bytes_up", sum(|one| one.report.bytes_up)),
        ("bytes_down", sum(|one| one.report.bytes_down)),
        ("payload_up", sum(|one| one.report.payload_up)),
        ("payload_down", sum(|one| one.report.payload_down)),
        ("round_trips", sum(|one| u64::from(one.report.round_trips))),
    ])
}
