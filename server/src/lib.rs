//! The one binary: configuration, list of rooms, routes, command line.
//!
//! Promises: refuses to run on an unsafe directory, an open network or a newer schema;
//! every page but the listed public ones needs a live session; every POST its token.
//! Never: a query about a person (that is a room's, through the gate).

pub mod backup;
pub mod cli;
pub mod config;
pub mod demo;
pub mod error;
mod handover;
pub mod init;
pub mod instance;
pub mod insurance;
pub mod kidney;
pub mod numbers;
mod oversight;
pub mod serve;
mod tls;
pub mod web;
