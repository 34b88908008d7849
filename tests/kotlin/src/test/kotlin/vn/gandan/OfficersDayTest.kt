package vn.gandan

import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.nio.file.Path
import java.util.concurrent.CopyOnWriteArrayList
import javax.imageio.ImageIO
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** An officer's day through the Kotlin bindings, against a real server process over QUIC. */
class OfficersDayTest {
    @TempDir
    lateinit var folder: Path

    private val key = ByteArray(32) { it.toByte() }

    private fun phone(name: String = "phone") = Replica.open(folder.resolve(name).toString(), key)

    private fun drain(words: String, visit: Uuid? = null) = NewCase(
        visit = visit,
        category = "flooding",
        urgency = Urgency.HIGH,
        text = words,
        citizen = Person(name = "Lê Văn Bình", phone = "0903 343 439", address = "12/3 Bắc Hải"),
    )

    private fun picture(): ByteArray = ByteArrayOutputStream().also {
        ImageIO.write(BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB), "png", it)
    }.toByteArray()

    @Test
    fun `a visit recorded offline reaches the desk and the answer comes back`() = runBlocking {
        WardProcess(folder.resolve("ward")).use { ward ->
            phone().use { phone ->
                phone.enrol(ward.invite("Trần Thị Mai"), "Điện thoại thử")
                val changes = CopyOnWriteArrayList<Change>()
                val steps = CopyOnWriteArrayList<SyncProgress>()
                phone.observe(object : ChangeObserver {
                    override fun onChange(change: Change) {
                        changes += change
                    }
                })

                val visit = phone.startVisit(NewVisit(summary = "Thăm khu phố 3"))
                val recorded = phone.recordCase(
                    drain("Nước cống tràn lên mặt đường hẻm 42 Bắc Hải. Kính đề nghị phường kiểm tra.", visit),
                )
                phone.addNote(recorded.id, "Tổ trưởng đã gọi công ty thoát nước")
                val attached = phone.attach(recorded.id, "ho-ga.png", picture())
                phone.endVisit(visit, "Một vụ việc")
                assertEquals(SyncState.RECORDED, phone.case(recorded.id)!!.sync)
                assertTrue(Change.Case(recorded.id) in changes)

                val report = phone.sync(object : ProgressObserver {
                    override fun onProgress(progress: SyncProgress) {
                        steps += progress
                    }
                })
                assertEquals(0uL, report.pending)
                assertEquals(0uL, report.rejected)
                assertTrue(report.isAgreed)
                assertTrue(phone.agreement() is Agreement.Synced)
                assertTrue(SyncProgress.CaughtUp in steps)
                assertEquals(SyncState.ON_SERVER, phone.case(recorded.id)!!.sync)
                assertEquals(listOf(attached.hash), phone.case(recorded.id)!!.attachmentsOnServer)

                ward.signIn()
                ward.accept(recorded.id)
                ward.answer(recorded.id, "Đội thoát nước sẽ nạo vét trong ngày 26/11.")
                phone.sync(null)
                val answered = phone.case(recorded.id)!!.case
                assertTrue(answered.officialNumber!!.startsWith("PA-"))
                assertEquals(Status.ANSWERED, answered.status)

                phone.markDelivered(recorded.id, Satisfaction.SATISFIED)
                phone.sync(null)
                assertEquals(SyncState.ON_SERVER, phone.case(recorded.id)!!.sync)
                assertEquals(Satisfaction.SATISFIED, phone.case(recorded.id)!!.case.satisfaction)
                assertEquals(emptyList<Uuid>(), phone.check())
            }
        }
    }

    @Test
    fun `two phones that record at once both read back what the other wrote`() = runBlocking {
        WardProcess(folder.resolve("ward")).use { ward ->
            phone("first").use { first ->
                phone("second").use { second ->
                    listOf(first to "Trần Thị Mai", second to "Phạm Văn Hùng").map { (phone, officer) ->
                        async { phone.enrol(ward.invite(officer, "leader"), officer) }
                    }.awaitAll()
                    val lamp = first.recordCase(drain("Đèn đường trước nhà bà Thịnh bị hỏng"))
                    val noise = second.recordCase(drain("Quán karaoke hát quá nửa đêm"))
                    listOf(first, second).map { phone -> async { phone.sync(null) } }.awaitAll()
                    listOf(first, second).forEach { it.sync(null) }

                    val ofFirst = first.cases(CaseQuery(order = CaseOrder.NEWEST)).map { it.row.case.id }.toSet()
                    val ofSecond = second.cases(CaseQuery(order = CaseOrder.NEWEST)).map { it.row.case.id }.toSet()
                    assertEquals(setOf(lamp.id, noise.id), ofFirst)
                    assertEquals(ofFirst, ofSecond)
                    assertEquals(
                        listOf(lamp.id),
                        second.cases(CaseQuery(search = "den duong thinh", order = CaseOrder.NEWEST)).map { it.row.case.id },
                    )
                }
            }
        }
    }

    @Test
    fun `a phone that stays sends by itself and hears the desk by itself`() = runBlocking {
        WardProcess(folder.resolve("ward")).use { ward ->
            phone().use { phone ->
                phone.enrol(ward.invite("Trần Thị Mai"), "Điện thoại thử")
                ward.signIn()
                val changes = Channel<Change>(Channel.UNLIMITED)
                phone.observe(object : ChangeObserver {
                    override fun onChange(change: Change) {
                        changes.trySend(change)
                    }
                })
                val staying = async { phone.stay(null) }
                withTimeout(30_000) {
                    val recorded = phone.recordCase(drain("Nước cống tràn lên mặt đường"))
                    while (phone.case(recorded.id)!!.sync != SyncState.ON_SERVER) changes.receive()
                    ward.accept(recorded.id)
                    while (phone.case(recorded.id)!!.case.officialNumber == null) changes.receive()
                    phone.leave()
                    staying.await()
                }
            }
        }
    }

    @Test
    fun `a person says yes to words that were shown and the phone gets another key`() = runBlocking {
        WardProcess(folder.resolve("ward")).use { ward ->
            phone().use { phone ->
                phone.enrol(ward.invite("Trần Thị Mai"), "Điện thoại thử")
                val shown = consentText()
                val case = drain("Đèn đường tắt")
                case.citizen = Person(
                    name = "Lê Văn Bình",
                    legalBasis = LegalBasis.CONSENT,
                    consentText = shown.version,
                )
                val recorded = phone.recordCase(case)
                phone.renewKey()
                val detail = phone.case(recorded.id)!!
                assertEquals(SyncState.ON_SERVER, detail.sync)
                assertEquals(shown.version, detail.citizen!!.consentText)
                assertTrue(phone.sync(null).isAgreed)
            }
        }
    }

    @Test
    fun `failures have a name an app can match`() {
        phone().use { phone ->
            assertThrows(GandanException.NotEnrolled::class.java) { phone.recordCase(drain("Chưa ghi danh")) }
            assertThrows(GandanException.Rejected::class.java) { runBlocking { phone.enrol("gandan:hỏng", "thử") } }
        }
        assertThrows(GandanException.WrongKey::class.java) {
            Replica.open(folder.resolve("phone").toString(), ByteArray(32))
        }
    }
}
