//! A small authoritative name server over UDP on loopback: A records from a table, NXDOMAIN for the rest.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;

/// The server; it ends with the runtime that started it.
#[derive(Clone, Debug)]
pub struct NameServer {
    pub address: SocketAddr,
    alive: Arc<AtomicBool>,
}

impl NameServer {
    /// Starts a server with the given names (lower case, with the final dot).
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(names: HashMap<String, Ipv4Addr>) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let alive = Arc::new(AtomicBool::new(true));
        tokio::spawn(serve(socket, names, alive.clone()));
        Ok(Self { address, alive })
    }

    /// A dead server is silent.
    pub fn set_alive(&self, alive: bool) {
        self.alive.store(alive, Ordering::Relaxed);
    }
}

async fn serve(socket: UdpSocket, names: HashMap<String, Ipv4Addr>, alive: Arc<AtomicBool>) {
    let mut buffer = [0u8; 1232];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        if !alive.load(Ordering::Relaxed) {
            continue;
        }
        if let Some(reply) = answer(&buffer[..length], &names) {
            // A caller that is gone is no matter of ours.
            let _ = socket.send_to(&reply, from).await;
        }
    }
}

fn answer(question: &[u8], names: &HashMap<String, Ipv4Addr>) -> Option<Vec<u8>> {
    let asked = Message::from_vec(question).ok()?;
    let query = asked.queries.first()?.clone();
    let mut reply = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    reply.metadata.authoritative = true;
    reply.metadata.recursion_desired = asked.metadata.recursion_desired;
    let name = query.name().to_ascii().to_lowercase();
    match names.get(&name) {
        Some(address) if query.query_type() == RecordType::A => {
            reply.add_answer(Record::from_rdata(query.name().clone(), 60, RData::A(A(*address))));
        }
        Some(_) => {}
        None => reply.metadata.response_code = ResponseCode::NXDomain,
    }
    reply.add_query(query);
    reply.to_vec().ok()
}
