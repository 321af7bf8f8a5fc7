//! `verify --chain`: attestations of steps that used each other's outputs, in a real S3 server.

mod lineage;
mod rotation;
