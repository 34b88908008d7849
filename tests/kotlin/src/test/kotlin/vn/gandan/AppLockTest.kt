package vn.gandan

import java.nio.file.Path
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.spec.GCMParameterSpec
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The app lock through the Kotlin bindings, with a key store as an Android app writes it. */
class AppLockTest {
    @TempDir
    lateinit var folder: Path

    private val key = ByteArray(32) { it.toByte() }
    private val pin = "204060"

    /** AES-GCM as Android Keystore offers it; its key leaves it never, and it may ask for a finger. */
    private class KeyStore : PhoneKeyStore {
        private val key = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()
        var isFingerThere = true

        override fun wrap(secret: ByteArray): ByteArray = Cipher.getInstance("AES/GCM/NoPadding").run {
            init(Cipher.ENCRYPT_MODE, key)
            iv + doFinal(secret)
        }

        override fun unwrap(wrapped: ByteArray): ByteArray {
            if (!isFingerThere) throw KeyStoreFailure.Unavailable()
            return Cipher.getInstance("AES/GCM/NoPadding").run {
                init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(128, wrapped, 0, 12))
                doFinal(wrapped, 12, wrapped.size - 12)
            }
        }
    }

    private fun lockedPhone(keys: PhoneKeyStore): AppLock {
        Replica.open(folder.resolve("phone").toString(), key).close()
        return AppLock(folder.resolve("phone").toString(), keys).apply { set(key, pin) }
    }

    private fun refusal(block: () -> Unit) = assertThrows(GandanException.Locked::class.java, block).code

    @Test
    fun `a locked store opens with its pin alone`() {
        lockedPhone(KeyStore()).use { lock ->
            assertTrue(lock.isLocked())
            assertEquals("locked", refusal { Replica.open(folder.resolve("phone").toString(), key) })
            assertEquals("locked", refusal { lock.open() })
            assertEquals("wrong_pin", refusal { lock.unlock("000000") })
            lock.unlock(pin).use { assertFalse(it.isEnrolled()) }
            assertFalse(lock.isLocked())
        }
    }

    @Test
    fun `the finger opens what the pin opened before, until it is locked`() {
        val keys = KeyStore()
        lockedPhone(keys).use { lock ->
            lock.unlock(pin).close()
            keys.isFingerThere = false
            assertEquals("key_store", refusal { lock.open() })
            keys.isFingerThere = true
            lock.open().close()
            lock.lock()
            assertEquals("locked", refusal { lock.open() })
        }
    }

    @Test
    fun `it synchronises behind hidden screens and in the background`() = runBlocking {
        WardProcess(folder.resolve("ward")).use { ward ->
            lockedPhone(KeyStore()).use { lock ->
                lock.unlock(pin).use { phone ->
                    phone.enrol(ward.invite("Trần Thị Mai"), "Điện thoại thử")
                    phone.recordCase(NewCase(category = "flooding", text = "Nước ngập hẻm 42"))
                    lock.lock()
                    assertEquals(0uL, phone.sync(null).pending)
                }
                lock.unlock(pin).use { it.recordCase(NewCase(category = "noise", text = "Hát sau nửa đêm")) }
                lock.open().use { assertEquals(0uL, it.sync(null).pending) }
            }
        }
    }
}
