//! Any datagrams as notifications, one after the other to the same receiver. What is taken has a community of ours; what is sent
//! back is no longer than a small part more than what came.

#![no_main]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use noctty::base::Secret;
use noctty::proto::snmp::ber::Writer;
use noctty::proto::snmp::notification::Receiver;
use noctty::proto::snmp::usm::{AuthProtocol, Authority, EngineId, User};
use noctty::proto::snmp::{Version, message};

fn user() -> Arc<User> {
    static USER: OnceLock<Arc<User>> = OnceLock::new();
    let make = || Arc::new(User::new(b"u", Some((AuthProtocol::Sha256, b"maplesyrup")), None).expect("valid"));
    USER.get_or_init(make).clone()
}

fuzz_target!(|data: &[u8]| {
    let engine = EngineId::new(b"\x80\x00\x7e\xd9\x04fuzz").expect("nine octets");
    let own = Authority::new(engine, 1, &[user()], 1);
    let mut receiver = Receiver::new(vec![Secret::new(b"c".to_vec())], vec![user()], own, Duration::ZERO);
    let mut reply = Writer::default();
    let mut rest = data;
    let mut at = 0;
    // Each datagram stands behind its length.
    while let Some((length, behind)) = rest.split_first() {
        let (datagram, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        rest = behind;
        at += 1;
        if let Ok(Some(told)) = receiver.handle(Duration::from_secs(at), datagram, &mut reply) {
            assert!(told.varbinds.count() <= datagram.len());
            assert_ne!(told.version, Version::V3, "nobody here knows the password");
            let (_, community, _) = message::unwrap(datagram).expect("it was taken");
            assert_eq!(community, b"c");
        }
        assert!(reply.len() <= datagram.len() + 256, "an amplifier");
    }
});
