//! Bytes between phones and the ward: in order, in random portions, cut off anywhere.

use gandan_core::model::DeviceId;
use gandan_core::protocol::frame::FrameDecoder;
use gandan_core::protocol::initiator::{ConversationError, Initiator};
use gandan_core::protocol::message::{DeviceMessage, Refusal, WardMessage};
use gandan_core::protocol::responder::Responder;
use gandan_core::replica::{RecordError, Replica};
use gandan_core::store::StoreError;
use gandan_core::store::rows::CaseQuery;
use gandan_server::ward::{Ward, WardError};
use uuid::Uuid;

use super::newer::NewerVoice;
use super::packets::{Packets, Path};
use super::world::Dice;

/// Turns of the loop after which a conversation that says nothing new is a livelock.
const IDLE_TURNS_MAX: usize = 3;

/// Where a conversation breaks off, counted in things that happen (commands executed, portions
/// delivered) from its beginning. Both sides lose the connection; what was durable stays.
pub type Cut = Option<usize>;

/// What lies between a phone and the ward, and how old the two are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Line {
    /// Where it breaks.
    pub cut: Cut,
    /// Whether the ward still hears what was under way, and believes that the phone is there.
    pub is_half_open: bool,
    /// Whether the phone speaks as a later version will.
    pub is_app_newer: bool,
    /// Whether the ward does.
    pub is_ward_newer: bool,
    /// The datagrams' path, if the bytes travel in some.
    pub path: Option<Path>,
}

/// Whose store failed in the middle, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The phone's.
    Phone(String),
    /// The ward's.
    Ward(String),
    /// The ward has refused to talk.
    Refused(Refusal),
}

/// One connection and the two state machines at its ends.
pub struct Conversation<'a> {
    phone: &'a Replica,
    device: DeviceId,
    initiator: Initiator,
    responder: Responder,
    up: Vec<u8>,
    down: Vec<u8>,
    packets: Option<Packets>,
    /// Everything the phone said, for a replay.
    said: Vec<u8>,
    /// How many bytes of files the phone said.
    file_bytes: usize,
    spoken: FrameDecoder,
    events: usize,
    line: Line,
    app_voice: Option<NewerVoice>,
    ward_voice: Option<NewerVoice>,
    failure: Option<Failure>,
    note: Option<NoteMeanwhile>,
    noted: Option<(Uuid, String)>,
}

/// What an officer writes on some case while the phone talks.
#[derive(Debug, Clone)]
pub struct NoteMeanwhile {
    /// After so many things that happened.
    pub after: usize,
    /// The words.
    pub words: String,
}

/// How a conversation ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// Whether both sides said everything.
    pub is_complete: bool,
    /// Everything the phone said.
    pub said: Vec<u8>,
    /// How many bytes of files that were.
    pub file_bytes: usize,
    /// How many things happened.
    pub events: usize,
    /// The note that was written meanwhile, and on which case.
    pub noted: Option<(Uuid, String)>,
    /// What else broke it off than the line.
    pub failure: Option<Failure>,
    /// How often the phone's port changed in the middle.
    pub rebindings: usize,
}

impl<'a> Conversation<'a> {
    /// A new connection of an enrolled phone.
    ///
    /// # Errors
    /// If its store does not answer.
    pub fn new(
        phone: &'a Replica,
        line: Line,
        note: Option<NoteMeanwhile>,
        dice: &Dice,
    ) -> Result<Self, Failure> {
        let opening = phone
            .begin_conversation("simulated")
            .map_err(|error| Failure::Phone(error.to_string()))?
            .expect("the phone is enrolled");
        Ok(Self {
            phone,
            device: DeviceId::of(&phone.device_key()),
            initiator: Initiator::new(opening),
            responder: Responder::new(),
            up: Vec::new(),
            down: Vec::new(),
            packets: line
                .path
                .map(|path| Packets::new(&phone.device_key(), path, dice.clone())),
            said: Vec::new(),
            file_bytes: 0,
            spoken: FrameDecoder::new(DeviceMessage::payload_limit),
            events: 0,
            line,
            app_voice: line
                .is_app_newer
                .then(|| NewerVoice::new(DeviceMessage::payload_limit)),
            ward_voice: line
                .is_ward_newer
                .then(|| NewerVoice::new(WardMessage::payload_limit)),
            failure: None,
            note,
            noted: None,
        })
    }

    /// Whether the phone is alone.
    fn is_cut(&self) -> bool {
        self.failure.is_some() || self.line.cut.is_some_and(|after| self.events >= after)
    }

    /// Whether the ward is.
    fn is_ward_cut(&self) -> bool {
        let hears_on = self.line.is_half_open && !matches!(self.failure, Some(Failure::Ward(_)));
        self.is_cut() && !hears_on
    }

    fn is_over(&self) -> bool {
        if self.is_cut() {
            return self.is_ward_cut() || (self.up.is_empty() && !self.responder.is_busy());
        }
        self.initiator.is_finished() && self.down.is_empty()
    }

    /// The phone's turn: its store, its words, and what it hears.
    fn phone_turn(&mut self, dice: &mut Dice) {
        while !self.is_cut() {
            self.write_meanwhile(dice);
            if let Some(command) = self.initiator.poll_command() {
                self.events += 1;
                match self.phone.execute(command) {
                    Ok(answer) => self.initiator.handle_answer(answer),
                    Err(error) => self.failure = Some(Failure::Phone(error.to_string())),
                }
            } else if let Some(bytes) = self.initiator.poll_transmit() {
                let bytes = spoken(&mut self.app_voice, bytes);
                self.count_file_bytes(&bytes);
                self.said.extend_from_slice(&bytes);
                match &mut self.packets {
                    Some(packets) => packets.say_up(&bytes),
                    None => self.up.extend_from_slice(&bytes),
                }
            } else if self.down.is_empty() {
                break;
            } else {
                let portion = take(&mut self.down, dice);
                self.events += 1;
                match self.initiator.handle_bytes(&portion) {
                    Ok(()) => {}
                    Err(ConversationError::Refused(refusal)) => {
                        self.failure = Some(Failure::Refused(refusal));
                    }
                    Err(error) => panic!("our ward keeps the protocol: {error}"),
                }
            }
        }
        while self.initiator.poll_progress().is_some() {}
    }

    fn write_meanwhile(&mut self, dice: &mut Dice) {
        let Some(note) = self.note.take_if(|note| self.events >= note.after) else {
            return;
        };
        let cases = match self.phone.cases(&CaseQuery::default()) {
            Ok(cases) if cases.is_empty() => return,
            Ok(cases) => cases,
            // Its clock jumped: it shows nothing before this conversation is over.
            Err(StoreError::OutOfTouch { .. }) => return,
            Err(error) => {
                self.failure = Some(Failure::Phone(error.to_string()));
                return;
            }
        };
        let case = dice.pick(&cases).row.case.id;
        match self.phone.add_note(case, &note.words) {
            Ok(_) => self.noted = Some((case, note.words)),
            Err(RecordError::NotAllowed(_)) => {}
            Err(error) => self.failure = Some(Failure::Phone(error.to_string())),
        }
    }

    fn count_file_bytes(&mut self, mut bytes: &[u8]) {
        while let Some(frame) = self.spoken.next(&mut bytes).expect("our phone's frames") {
            if let Ok(DeviceMessage::Chunk { bytes, .. }) = DeviceMessage::decode(&frame) {
                self.file_bytes += bytes.len();
            }
        }
    }

    /// Lets datagrams travel until one of the two hears something.
    fn travel(&mut self) {
        let is_waited_for = self.up.is_empty() && self.down.is_empty() && !self.is_over();
        let Some(packets) = self.packets.as_mut().filter(|_| is_waited_for) else {
            return;
        };
        if !packets.run() {
            self.line.cut = Some(self.events);
        }
        self.up = packets.take_up();
        self.down = packets.take_down();
    }

    /// The ward's turn to hear; it stops while it is busy.
    fn ward_hears(&mut self, dice: &mut Dice) {
        while !self.is_ward_cut() && !self.up.is_empty() && !self.responder.is_busy() {
            let portion = take(&mut self.up, dice);
            self.events += 1;
            self.responder
                .handle_bytes(&portion)
                .expect("our phone keeps the protocol");
        }
    }
}

/// The bytes, or what a later version would say in their place.
fn spoken(voice: &mut Option<NewerVoice>, bytes: Vec<u8>) -> Vec<u8> {
    match voice {
        Some(voice) => voice.say(&bytes),
        None => bytes,
    }
}

fn take(from: &mut Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let length = if dice.percent(30) {
        1 + dice.below(from.len())
    } else {
        from.len()
    };
    from.drain(..length).collect()
}

/// Holds several conversations at once; what their wards ask goes into one transaction.
#[must_use]
pub fn converse(
    ward: &Ward,
    mut conversations: Vec<Conversation<'_>>,
    dice: &mut Dice,
) -> Vec<Ending> {
    let mut idle_turns = 0;
    while conversations.iter().any(|one| !one.is_over()) {
        let before: usize = conversations.iter().map(|one| one.events).sum();
        let mut asked = Vec::new();
        for (index, one) in conversations.iter_mut().enumerate() {
            if one.is_over() {
                continue;
            }
            one.phone_turn(dice);
            one.ward_hears(dice);
            if !one.is_ward_cut()
                && let Some(command) = one.responder.poll_command()
            {
                asked.push((index, (one.device, command)));
            }
        }
        let (indexes, commands): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
        if !commands.is_empty() {
            match ward.execute_all(commands) {
                Ok(answers) => {
                    for (index, answer) in indexes.into_iter().zip(answers) {
                        conversations[index].events += 1;
                        if !conversations[index].is_ward_cut() {
                            conversations[index].responder.handle_answer(answer);
                        }
                    }
                }
                Err(error) => {
                    for one in conversations.iter_mut().filter(|one| !one.is_over()) {
                        one.failure = Some(Failure::Ward(error.to_string()));
                    }
                }
            }
        }
        for one in &mut conversations {
            while !one.is_ward_cut()
                && let Some(bytes) = one.responder.poll_transmit()
            {
                let bytes = spoken(&mut one.ward_voice, bytes);
                let is_cut = one.is_cut();
                match &mut one.packets {
                    Some(packets) => packets.say_down(&bytes),
                    None if is_cut => {}
                    None => one.down.extend_from_slice(&bytes),
                }
            }
            one.travel();
        }
        let after: usize = conversations.iter().map(|one| one.events).sum();
        idle_turns = if after == before { idle_turns + 1 } else { 0 };
        assert!(
            idle_turns <= IDLE_TURNS_MAX,
            "a conversation waits for ever: neither side has anything to say"
        );
    }
    conversations
        .into_iter()
        .map(|one| Ending {
            is_complete: one.initiator.is_finished() && !one.is_cut(),
            said: one.said,
            file_bytes: one.file_bytes,
            events: one.events,
            noted: one.noted,
            failure: one.failure,
            rebindings: one.packets.as_ref().map_or(0, Packets::rebindings),
        })
        .collect()
}

/// Delivers to the ward once more what a phone said, as a network or an attacker may.
///
/// # Errors
/// If the ward's store fails.
pub fn replay(ward: &Ward, device: DeviceId, said: &[u8]) -> Result<(), WardError> {
    let mut responder = Responder::new();
    let mut rest = said;
    while !rest.is_empty() || responder.is_busy() {
        if !responder.is_busy() && !rest.is_empty() {
            let (portion, after) = rest.split_at(rest.len().min(1_024));
            rest = after;
            if responder.handle_bytes(portion).is_err() {
                return Ok(());
            }
        }
        while let Some(command) = responder.poll_command() {
            responder.handle_answer(ward.execute(device, command)?);
        }
        while responder.poll_transmit().is_some() {}
    }
    Ok(())
}
