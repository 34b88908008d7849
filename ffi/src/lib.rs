//! The phone core for Kotlin, Swift and Python.
