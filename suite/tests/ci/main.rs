//! The program as continuous integration and its users call it.
#![cfg(unix)]

mod program;
mod repeating;
mod secrets;
mod selection;
mod settings;
mod starting;
mod tls;
mod watching;
