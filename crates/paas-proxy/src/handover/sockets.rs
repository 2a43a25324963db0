use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::listener::Role;

/// The most that one message can carry (`SCM_MAX_FD` of the kernel).
const MAX: usize = 253;

/// A listening socket, to be given away.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) role: Role,
    pub(crate) descriptor: OwnedFd,
}

impl Socket {
    /// Another descriptor of the same socket.
    pub(crate) fn copy_of(role: Role, socket: &impl AsFd) -> io::Result<Self> {
        Ok(Self { role, descriptor: socket.as_fd().try_clone_to_owned()? })
    }
}

/// Sends descriptors beside one byte (`SCM_RIGHTS`, unix(7)). They stay ours as well.
pub(super) fn send(stream: &impl AsFd, sockets: &[Socket]) -> io::Result<()> {
    let descriptors: Vec<BorrowedFd<'_>> = sockets.iter().map(|socket| socket.descriptor.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other(format!("there are more than {MAX} listening sockets")));
    }
    sendmsg(stream, &[IoSlice::new(b"s")], &mut control, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives what [`send`] has sent.
pub(super) fn receive(stream: &impl AsFd) -> io::Result<Vec<OwnedFd>> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(stream, &mut [IoSliceMut::new(&mut byte)], &mut control, flags)?;
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if received.flags.contains(ReturnFlags::CTRUNC) {
        // The kernel could not open them all here.
        return Err(io::Error::other("not every socket arrived; is the limit of open files reached?"));
    }
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok(descriptors.flatten().collect())
}
