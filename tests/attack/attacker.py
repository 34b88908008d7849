"""A peer on aioquic, which shares no line with the server's QUIC stack, and says whatever a test wants.

aioquic knows certificates only. What RFC 7250 adds, raw public keys, is here: two extensions, and a key
where a certificate would be.
"""

import asyncio
import base64
import ssl

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, StreamDataReceived
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

SYNC = "gandan/1"
ENROLMENT = "gandan-enrol/1"

# Extensions and the one type of RFC 7250.
CLIENT_CERTIFICATE_TYPE = 19
SERVER_CERTIFICATE_TYPE = 20
RAW_PUBLIC_KEY = b"\x01\x02"

# Codes of docs/wire.md, of TLS alerts within QUIC, and of QUIC itself.
BUSY = 2
TIMED_OUT = 3
REPLACED = 4
VIOLATIONS = range(16, 32)
CERTIFICATE_REQUIRED = 0x100 + 116
NO_APPLICATION_PROTOCOL = 0x100 + 120


class RawKey:
    """Stands where aioquic keeps a certificate."""

    def __init__(self, spki: bytes):
        self.spki = spki

    def public_bytes(self, _encoding: Encoding) -> bytes:
        return self.spki

    def public_key(self):
        return load_der_public_key(self.spki)


class RawKeyConnection(QuicConnection):
    """Shows `key` in the place of a certificate; nothing at all if it is None."""

    def __init__(self, alpn: str, key: Ed25519PrivateKey | None, knows_raw_keys: bool = True):
        self.key = key
        self.knows_raw_keys = knows_raw_keys
        super().__init__(
            configuration=QuicConfiguration(
                is_client=True, alpn_protocols=[alpn], verify_mode=ssl.CERT_NONE, idle_timeout=120
            )
        )

    def _initialize(self, peer_cid: bytes) -> None:
        super()._initialize(peer_cid)
        if not self.knows_raw_keys:
            return
        self.tls.handshake_extensions += [
            (CLIENT_CERTIFICATE_TYPE, RAW_PUBLIC_KEY),
            (SERVER_CERTIFICATE_TYPE, RAW_PUBLIC_KEY),
        ]

        def keep(message) -> None:
            self.tls._peer_certificate = RawKey(message.certificates[0][0])

        self.tls._set_peer_certificate = keep
        if self.key is not None:
            spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self.tls.certificate = RawKey(spki)
            self.tls.certificate_private_key = self.key


class Peer(QuicConnectionProtocol):
    """One connection from a socket of its own."""

    def __init__(self, quic: QuicConnection):
        super().__init__(quic)
        self.ended: asyncio.Future[ConnectionTerminated] = asyncio.get_running_loop().create_future()
        self.is_ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard = asyncio.Event()
        self.received = b""

    @classmethod
    async def begin(
        cls,
        address: tuple[str, int],
        alpn: str = SYNC,
        key: Ed25519PrivateKey | None = None,
        knows_raw_keys: bool = True,
    ) -> "Peer":
        quic = RawKeyConnection(alpn, key, knows_raw_keys)
        _, peer = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: cls(quic), local_addr=("127.0.0.1", 0)
        )
        peer.connect(address)
        return peer

    @classmethod
    async def proven(cls, address: tuple[str, int], key: Ed25519PrivateKey, alpn: str = SYNC) -> "Peer":
        peer = await cls.begin(address, alpn, key)
        await asyncio.wait({peer.is_ready, peer.ended}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        assert peer.is_ready.done(), "the handshake came to no end"
        return peer

    def quic_event_received(self, event) -> None:
        if isinstance(event, ConnectionTerminated) and not self.ended.done():
            self.ended.set_result(event)
            self.heard.set()
        elif isinstance(event, HandshakeCompleted) and not self.is_ready.done():
            self.is_ready.set_result(None)
        elif isinstance(event, StreamDataReceived):
            self.received += event.data
            self.heard.set()

    def say(self, data: bytes, stream: int = 0, end: bool = False) -> None:
        self._quic.send_stream_data(stream, data, end)
        self.transmit()

    async def end_code(self, seconds: float = 20) -> int:
        return (await asyncio.wait_for(asyncio.shield(self.ended), seconds)).error_code

    def leave(self) -> None:
        """Says goodbye."""
        self.close()
        self._transport.close()

    def vanish(self) -> None:
        """Says nothing more, as somebody does who is gone."""
        self._transport.close()


def hello() -> bytes:
    """A greeting as docs/wire.md has it: minor versions 0 to 0, an app's name, no cursor, no directory."""
    name = b"aioquic"
    return frame(0x01, b"\x00\x00" + b"\x00" + bytes([len(name)]) + name + b"\x00" + b"\x00")


def frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind, 1]) + unsigned(len(payload)) + payload


def unsigned(value: int) -> bytes:
    out = bytearray()
    while True:
        low, value = value & 0x7F, value >> 7
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def token_of(invite: str) -> bytes:
    text = invite.removeprefix("gandan:")
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Layout, ward, its key.
    return content[1 + 5 + 32 :][:16]


async def enrol(address: tuple[str, int], key: Ed25519PrivateKey, invite: str) -> None:
    peer = await Peer.proven(address, key, ENROLMENT)
    name = b"stolen"
    peer.say(b"\x01" + token_of(invite) + bytes([len(name)]) + name, end=True)
    await asyncio.wait_for(peer.heard.wait(), 20)
    assert peer.received[:2] == b"\x01\x01", "the ward enrolled the device"
    peer.leave()


def first_datagrams(alpn: str = SYNC) -> list[bytes]:
    """What a connection sends first, never to be followed by anything."""
    quic = RawKeyConnection(alpn, Ed25519PrivateKey.generate())
    quic.connect(("127.0.0.1", 1), now=0.0)
    return [datagram for datagram, _ in quic.datagrams_to_send(now=0.0)]
