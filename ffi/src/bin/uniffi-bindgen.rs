//! Writes the Kotlin, Swift and Python sources of the bindings.
fn main() {
    uniffi::uniffi_bindgen_main();
}
