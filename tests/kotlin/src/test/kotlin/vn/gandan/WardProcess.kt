package vn.gandan

import java.net.CookieManager
import java.net.URI
import java.net.URLEncoder
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.text.Charsets.UTF_8

private const val PASSWORD = "mật khẩu đủ dài 2026"

/** A real ward server on free ports of the loopback, as its administrator and its clerk see it. */
class WardProcess(private val data: Path) : AutoCloseable {
    private val program = System.getenv("GANDAN_SERVER")
    private val process: Process
    private val console: String
    private val browser = HttpClient.newBuilder()
        .cookieHandler(CookieManager())
        .followRedirects(HttpClient.Redirect.NORMAL)
        .build()

    init {
        command("init", "--data", "$data", "--ward", "26995")
        command("staff", "add", "--data", "$data", "--login", "triage", "--role", "triage", input = PASSWORD + "\n")
        process = ProcessBuilder(program, "serve", "--data", "$data", "--quic", "127.0.0.1:0", "--http", "127.0.0.1:0")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
        val ready = process.inputReader(UTF_8).readLine()
        check(ready.startsWith("ready ")) { ready }
        console = "http://" + Regex("http=(\\S+)").find(ready)!!.groupValues[1]
    }

    fun invite(officer: String, role: String = "officer") =
        command("invite", "--data", "$data", "--officer", officer, "--role", role).trim()

    fun signIn() = post("/login", "login" to "triage", "password" to PASSWORD)

    fun accept(case: String) = post("/cases/$case/accept")

    fun answer(case: String, words: String) = post("/cases/$case/answer", "answer" to words)

    override fun close() {
        process.destroy()
        check(process.waitFor(30, TimeUnit.SECONDS)) { "the server does not stop" }
    }

    private fun post(path: String, vararg form: Pair<String, String>) {
        val body = form.joinToString("&") { (name, value) -> "$name=${URLEncoder.encode(value, UTF_8)}" }
        val request = HttpRequest.newBuilder(URI(console + path))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Origin", console)
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build()
        val response = browser.send(request, HttpResponse.BodyHandlers.ofString())
        check(response.statusCode() == 200) { "${response.statusCode()} for $path" }
    }

    private fun command(vararg arguments: String, input: String = ""): String {
        val running = ProcessBuilder(program, *arguments).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        running.outputWriter(UTF_8).use { it.write(input) }
        val output = running.inputReader(UTF_8).readText()
        check(running.waitFor() == 0) { "${arguments.first()} failed" }
        return output
    }
}
