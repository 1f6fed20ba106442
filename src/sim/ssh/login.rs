//! One caller of a simulated SSH server: who is let in, which channels it gets, and what of it reaches the shell.
//! Shells and commands; no forwarding, no subsystem, no agent.

use std::collections::HashMap;
use std::sync::Arc;

use russh::keys::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, Pty};

use super::USER;
use super::shell::{Machine, Reply, Shell, Window};
use super::vitals::Look;
use crate::base::Clock;

/// Channels that one caller may have open.
const CHANNELS: usize = 16;
/// `SSH_EXTENDED_DATA_STDERR` (RFC 4254 §5.2).
const STDERR: u32 = 1;

pub(super) struct Login {
    machine: Arc<Machine>,
    client: Arc<PublicKey>,
    clock: Clock,
    channels: HashMap<ChannelId, Opened>,
}

#[derive(Default)]
struct Opened {
    /// Of the terminal, where one was asked for.
    window: Option<Window>,
    /// None before a shell or a command was asked for.
    shell: Option<Shell>,
    /// A look at the machine that waits for its input.
    look: Option<Look>,
}

impl Login {
    pub fn new(machine: Arc<Machine>, client: Arc<PublicKey>, clock: Clock) -> Self {
        Self { machine, client, clock, channels: HashMap::new() }
    }

    fn judge(&self, user: &str, key: &PublicKey) -> Auth {
        if user == USER && key.key_data() == self.client.key_data() { Auth::Accept } else { Auth::reject() }
    }

    /// Puts a shell into a channel that has none yet; `None` where that is not to be had.
    fn shell(&mut self, channel: ChannelId) -> Option<&mut Shell> {
        let opened = self.channels.get_mut(&channel).filter(|opened| opened.shell.is_none())?;
        Some(opened.shell.insert(Shell::new(self.machine.clone(), self.clock, opened.window)))
    }

    fn running(&mut self, channel: ChannelId) -> Option<&mut Shell> {
        self.channels.get_mut(&channel)?.shell.as_mut()
    }

    fn pass_on(&mut self, channel: ChannelId, reply: Reply, session: &mut Session) -> Result<(), russh::Error> {
        if !reply.output.is_empty() {
            session.data(channel, reply.output)?;
        }
        if !reply.errors.is_empty() {
            session.extended_data(channel, STDERR, reply.errors)?;
        }
        if let Some(status) = reply.ended {
            self.channels.remove(&channel);
            session.exit_status_request(channel, status)?;
            session.eof(channel)?;
            session.close(channel)?;
        }
        Ok(())
    }
}

impl Handler for Login {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, offer.public_key))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, key.public_key))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.channels.len() < CHANNELS {
            self.channels.insert(channel.id(), Opened::default());
            reply.accept().await;
        }
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        columns: u32,
        rows: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.channels.get_mut(&channel) {
            Some(opened) if opened.shell.is_none() => {
                opened.window = Some(Window::new(columns, rows));
                session.channel_success(channel)
            }
            Some(_) | None => session.channel_failure(channel),
        }
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        let Some(shell) = self.shell(channel) else { return session.channel_failure(channel) };
        let greeting = shell.begin();
        session.channel_success(channel)?;
        self.pass_on(channel, greeting, session)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let command = String::from_utf8_lossy(command);
        if let Some(look) = Look::begins(&command, &self.machine)
            && let Some(opened) = self.channels.get_mut(&channel)
        {
            opened.look = Some(look);
            return session.channel_success(channel);
        }
        let Some(shell) = self.shell(channel) else { return session.channel_failure(channel) };
        session.channel_success(channel)?;
        let reply = shell.run_once(&command);
        self.pass_on(channel, reply, session)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        columns: u32,
        rows: u32,
        _: u32,
        _: u32,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some(shell) = self.running(channel) {
            let reply = shell.resize(Window::new(columns, rows));
            self.pass_on(channel, reply, session)?;
        }
        Ok(())
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let up = self.clock.now().since(self.machine.booted);
        let look = self.channels.get_mut(&channel).and_then(|opened| opened.look.as_mut());
        if let Some(look) = look {
            let Some(output) = look.input(data, &self.machine, self.clock.wall(), up) else { return Ok(()) };
            let reply = Reply { output: output.into_bytes(), ended: Some(0), ..Reply::default() };
            return self.pass_on(channel, reply, session);
        }
        if let Some(shell) = self.running(channel) {
            let reply = shell.input(data);
            self.pass_on(channel, reply, session)?;
        }
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        if let Some(shell) = self.running(channel) {
            let reply = shell.end_of_input();
            self.pass_on(channel, reply, session)?;
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.channels.remove(&channel);
        Ok(())
    }
}
