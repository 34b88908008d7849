"""The app lock through the Python bindings, with a key store that is written in Python."""

import asyncio
import hashlib
import os
import pathlib

import gandan
import pytest
from ward_process import WardProcess

KEY = bytes(range(32))
PIN = "204060"


class KeyStore(gandan.PhoneKeyStore):
    """Keeps its secret to itself, as a phone's does, and may ask for a finger."""

    def __init__(self):
        self.secret = os.urandom(32)
        self.is_finger_there = True

    def _cover(self, text: bytes, nonce: bytes) -> bytes:
        pad = hashlib.shake_256(self.secret + nonce).digest(len(text))
        return bytes(a ^ b for a, b in zip(text, pad))

    def wrap(self, secret: bytes) -> bytes:
        nonce = os.urandom(16)
        return nonce + self._cover(secret, nonce)

    def unwrap(self, wrapped: bytes) -> bytes:
        if not self.is_finger_there:
            raise gandan.KeyStoreFailure.Unavailable()
        return self._cover(wrapped[16:], wrapped[:16])


class BrokenKeyStore(KeyStore):
    def unwrap(self, wrapped: bytes) -> bytes:
        raise RuntimeError(f"the secret is {self.secret.hex()}")


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "phone")


def locked_phone(folder: str, keys: KeyStore) -> gandan.AppLock:
    gandan.Replica.open(folder, KEY)
    lock = gandan.AppLock(folder, keys)
    lock.set(KEY, PIN)
    return lock


def test_a_locked_store_opens_with_its_pin_alone(folder):
    lock = locked_phone(folder, KeyStore())
    assert lock.is_set() and lock.is_locked()
    with pytest.raises(gandan.GandanError.Locked) as refused:
        gandan.Replica.open(folder, KEY)
    assert refused.value.code == "locked"
    with pytest.raises(gandan.GandanError.Locked) as refused:
        lock.open()
    assert refused.value.code == "locked"
    with pytest.raises(gandan.GandanError.Locked) as refused:
        lock.unlock("000000")
    assert refused.value.code == "wrong_pin" and "PIN không đúng" in refused.value.reason

    phone = lock.unlock(PIN)
    assert not phone.is_enrolled() and not lock.is_locked()
    lock.check_pin(PIN)


def test_guessing_has_to_wait_and_deletes_nothing(folder):
    lock = locked_phone(folder, KeyStore())
    codes = []
    for guess in range(6):
        with pytest.raises(gandan.GandanError.Locked) as refused:
            lock.unlock(f"1111{guess}")
        codes.append(refused.value.code)
    assert codes[0] == "wrong_pin" and codes[-1] == "too_soon" and refused.value.wait_seconds > 0
    assert (pathlib.Path(folder) / "phone.db").exists()


def test_a_lock_around_a_key_that_does_not_open_the_store_is_not_set(folder):
    gandan.Replica.open(folder, KEY)
    lock = gandan.AppLock(folder, KeyStore())
    with pytest.raises(gandan.GandanError.WrongKey):
        lock.set(bytes(32), PIN)
    with pytest.raises(gandan.GandanError.Locked) as refused:
        lock.set(KEY, "12")
    assert refused.value.code == "unfit_pin"
    assert not lock.is_set()
    gandan.Replica.open(folder, KEY)


def test_a_finger_that_is_not_recognised_is_no_attempt_and_tells_nothing(folder):
    keys = KeyStore()
    lock = locked_phone(folder, keys)
    lock.unlock(PIN)
    keys.is_finger_there = False
    for _ in range(10):
        with pytest.raises(gandan.GandanError.Locked) as refused:
            lock.open()
        assert refused.value.code == "key_store"
    keys.is_finger_there = True
    lock.open()

    broken = BrokenKeyStore()
    with pytest.raises(gandan.GandanError.Locked) as refused:
        gandan.AppLock(folder, broken).open()
    assert refused.value.code == "key_store"
    assert broken.secret.hex() not in str(refused.value)


def test_it_synchronises_behind_hidden_screens_and_in_the_background_until_it_is_locked(folder, tmp_path):
    ward = WardProcess(os.environ["GANDAN_SERVER"], tmp_path / "ward")
    try:
        lock = locked_phone(folder, KeyStore())
        phone = lock.unlock(PIN)
        asyncio.run(phone.enrol(ward.invite("Trần Thị Mai"), "Điện thoại thử"))
        phone.record_case(gandan.NewCase(category="flooding", text="Nước ngập hẻm 42"))
        lock.lock()
        # What was open stays open: a note that waits is not held up by a dark screen.
        assert asyncio.run(phone.sync(None)).pending == 0
        lock.check_pin(PIN)
        del phone

        # The app was ended, unlocked once, and ended again: the background needs no PIN.
        phone = lock.unlock(PIN)
        phone.record_case(gandan.NewCase(category="noise", text="Hát sau nửa đêm"))
        del phone
        background = lock.open()
        assert asyncio.run(background.sync(None)).pending == 0
        lock.lock()
        with pytest.raises(gandan.GandanError.Locked):
            lock.open()
    finally:
        ward.close()
