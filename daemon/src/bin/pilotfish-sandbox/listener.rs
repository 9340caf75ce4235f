//! The listener of the inside's proxy: opened on the loopback of our network namespace, served from outside of it.

use std::io;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};

use pilotfish::sandbox::wire::Report;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sockopt,
};

use crate::Failure;

/// Connections that may wait until the daemon takes them.
const WAITING: i32 = 128;

/// Opens a listener at `port` and gives it away over `channel`.
///
/// # Errors
/// When the system refuses.
pub(crate) fn hand_out(port: u16, channel: BorrowedFd<'_>) -> Result<(), Failure> {
    try_hand_out(port, channel).map_err(|error| Failure::new("open the listener of the proxy", error))
}

fn try_hand_out(port: u16, channel: BorrowedFd<'_>) -> io::Result<()> {
    let listener = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_reuseaddr(&listener, true)?;
    rustix::net::bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    rustix::net::listen(&listener, WAITING)?;
    let message = Report::Listening.encode();
    let descriptors = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let sent = rustix::net::sendmsg(channel, &[IoSlice::new(&message)], &mut ancillary, SendFlags::NOSIGNAL)?;
    if sent == message.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}
