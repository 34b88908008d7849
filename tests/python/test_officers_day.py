"""An officer's day through the Python bindings, against a real server process over QUIC."""

import asyncio
import os
import pathlib
import queue
import struct
import zlib

import gandan
import pytest
from ward_process import WardProcess

KEY = bytes(range(32))


@pytest.fixture
def ward(tmp_path: pathlib.Path):
    process = WardProcess(os.environ["GANDAN_SERVER"], tmp_path / "ward")
    yield process
    process.close()


@pytest.fixture
def phone(tmp_path: pathlib.Path) -> gandan.Replica:
    return gandan.Replica.open(str(tmp_path / "phone"), KEY)


def picture() -> bytes:
    """The smallest honest PNG: one grey point."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00\x80"))
        + chunk(b"IEND", b"")
    )


class Changes(gandan.ChangeObserver):
    def __init__(self):
        self.seen = []

    def on_change(self, change):
        self.seen.append(change)


class Progress(gandan.ProgressObserver):
    def __init__(self):
        self.seen = []

    def on_progress(self, progress):
        self.seen.append(progress)


def enrol(phone: gandan.Replica, ward: WardProcess, officer: str = "Trần Thị Mai") -> None:
    asyncio.run(phone.enrol(ward.invite(officer), "Điện thoại thử"))


def drain(words: str) -> gandan.NewCase:
    return gandan.NewCase(
        category="flooding",
        urgency=gandan.Urgency.HIGH,
        text=words,
        citizen=gandan.Person(name="Lê Văn Bình", phone="0903 343 439", address="12/3 Bắc Hải"),
    )


def test_a_visit_recorded_offline_reaches_the_desk_and_the_answer_comes_back(phone, ward):
    enrol(phone, ward)
    changes, progress = Changes(), Progress()
    phone.observe(changes)

    visit = phone.start_visit(gandan.NewVisit(summary="Thăm khu phố 3"))
    case = drain("Nước cống tràn lên mặt đường hẻm 42 Bắc Hải từ hôm qua. Kính đề nghị phường kiểm tra.")
    case.visit = visit
    recorded = phone.record_case(case)
    phone.add_note(recorded.id, "Tổ trưởng đã gọi công ty thoát nước")
    attached = phone.attach(recorded.id, "ho-ga.png", picture())
    phone.end_visit(visit, "Một vụ việc")
    assert phone.case(recorded.id).sync == gandan.SyncState.RECORDED
    assert gandan.Change.CASE(recorded.id) in changes.seen

    report = asyncio.run(phone.sync(progress))
    assert report.pending == 0 and report.rejected == 0 and report.is_agreed
    assert phone.pending() == []
    assert any(isinstance(step, gandan.SyncProgress.CAUGHT_UP) for step in progress.seen)
    detail = phone.case(recorded.id)
    assert detail.sync == gandan.SyncState.ON_SERVER
    assert detail.attachments_on_server == [attached.hash]

    ward.sign_in()
    ward.accept(recorded.id)
    ward.answer(recorded.id, "Đội thoát nước sẽ nạo vét trong ngày 26/11.")
    asyncio.run(phone.sync(None))
    detail = phone.case(recorded.id)
    assert detail.case.official_number.startswith("PA-")
    assert detail.case.status == gandan.Status.ANSWERED
    assert detail.case.answer.startswith("Đội thoát nước")

    phone.mark_delivered(recorded.id, gandan.Satisfaction.SATISFIED)
    asyncio.run(phone.sync(None))
    assert phone.case(recorded.id).sync == gandan.SyncState.ON_SERVER
    assert phone.case(recorded.id).case.satisfaction == gandan.Satisfaction.SATISFIED
    assert phone.check() == []


def test_a_phone_that_stays_sends_by_itself_and_hears_the_desk_by_itself(phone, ward):
    enrol(phone, ward)
    ward.sign_in()
    happened = queue.Queue()

    class Told(gandan.ChangeObserver, gandan.ProgressObserver):
        def on_change(self, change):
            happened.put(change)

        def on_progress(self, progress):
            happened.put(progress)

    async def until(is_so):
        while not is_so():
            await asyncio.to_thread(happened.get, timeout=30)

    async def day():
        told = Told()
        phone.observe(told)
        staying = asyncio.create_task(phone.stay(told))
        recorded = phone.record_case(drain("Nước cống tràn lên mặt đường"))
        await until(lambda: phone.case(recorded.id).sync == gandan.SyncState.ON_SERVER)
        await asyncio.to_thread(ward.accept, recorded.id)
        await until(lambda: phone.case(recorded.id).case.official_number)
        phone.leave()
        await asyncio.wait_for(staying, 30)

    asyncio.run(day())


def test_search_finds_words_typed_without_diacritics(phone, ward):
    enrol(phone, ward)
    recorded = phone.record_case(drain("Đèn đường trước nhà bà Thịnh bị hỏng"))
    found = phone.cases(gandan.CaseQuery(search="den duong thinh", order=gandan.CaseOrder.NEWEST))
    assert [summary.row.case.id for summary in found] == [recorded.id]
    assert phone.find_case(recorded.code.lower()) == recorded.id


def test_a_case_recorded_in_error_is_voided_and_stays_readable(phone, ward):
    enrol(phone, ward)
    recorded = phone.record_case(drain("Ghi nhầm nhà"))
    phone.void_case(recorded.id, "Ghi nhầm nhà")
    case = phone.case(recorded.id).case
    assert case.status == gandan.Status.VOIDED
    assert case.void_reason == "Ghi nhầm nhà"


def test_a_person_says_yes_to_words_that_were_shown_and_the_phone_gets_another_key(phone, ward):
    enrol(phone, ward)
    shown = gandan.consent_text()
    assert "đồng ý" in shown.vietnamese
    case = drain("Đèn đường tắt")
    case.citizen.legal_basis = gandan.LegalBasis.CONSENT
    with pytest.raises(gandan.GandanError.Rejected):
        phone.record_case(case)
    case.citizen.consent_text = shown.version
    recorded = phone.record_case(case)
    asyncio.run(phone.renew_key())
    detail = phone.case(recorded.id)
    assert detail.sync == gandan.SyncState.ON_SERVER
    assert detail.citizen.consent_text == shown.version
    assert asyncio.run(phone.sync(None)).is_agreed


def test_what_is_unsent_can_be_written_to_a_rescue_file_that_hides_it(phone, ward, tmp_path):
    enrol(phone, ward)
    recorded = phone.record_case(drain("Hố ga mất nắp"))
    rescue = phone.rescue_file()
    assert "Hố ga".encode() not in rescue
    (tmp_path / "rescue").write_bytes(rescue)
    ward._command("import-rescue", "--data", ward.data, str(tmp_path / "rescue"))
    report = asyncio.run(phone.sync(None))
    assert report.pending == 0
    assert phone.case(recorded.id).sync == gandan.SyncState.ON_SERVER


def test_failures_have_a_name_an_app_can_match(phone, ward, tmp_path):
    with pytest.raises(gandan.GandanError.NotEnrolled):
        phone.record_case(drain("Chưa ghi danh"))
    with pytest.raises(gandan.GandanError.WrongKey):
        gandan.Replica.open(str(tmp_path / "other"), b"too short")
    enrol(phone, ward)
    stop_card = drain("Nội dung tố cáo không được ghi")
    stop_card.kind = gandan.ReportedKind.DENUNCIATION
    with pytest.raises(gandan.GandanError.Rejected):
        phone.record_case(stop_card)
    ward.process.kill()
    ward.process.wait()
    recorded = phone.record_case(drain("Mất mạng vẫn ghi được"))
    with pytest.raises(gandan.GandanError.Offline):
        asyncio.run(phone.sync(None))
    assert phone.case(recorded.id).sync != gandan.SyncState.ON_SERVER
    ward.close = lambda: None
