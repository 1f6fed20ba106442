//! Any datagram as a message of version 1 or 2c. What is decoded and encoded again means the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noctty::proto::snmp::ber::Writer;
use noctty::proto::snmp::{Message, Value, message, pdu};

fuzz_target!(|datagram: &[u8]| {
    let Ok(decoded) = Message::decode(datagram) else { return };
    let head = decoded.pdu;
    let mut writer = Writer::default();
    message::encode(&mut writer, decoded.version, decoded.community, |w| {
        let (status, index) = (head.error_status.0, head.error_index);
        pdu::encode(w, head.kind, head.request_id, status, index, |w| {
            for bind in head.varbinds() {
                pdu::encode_varbind(w, bind.name, bind.value);
            }
        });
    });
    let again = Message::decode(writer.bytes()).expect("our own encoding is valid");
    assert_eq!((again.version, again.community), (decoded.version, decoded.community));
    assert_eq!((again.pdu.kind, again.pdu.request_id), (head.kind, head.request_id));
    let mut count = 0;
    for (one, other) in head.varbinds().zip(again.pdu.varbinds()) {
        // A type that SNMP does not have is carried as nothing.
        let value = if matches!(one.value, Value::Other(_)) { Value::Null } else { one.value };
        assert_eq!((one.name, value), (other.name, other.value));
        count += 1;
    }
    assert_eq!((count, count), (head.varbinds().count(), again.pdu.varbinds().count()));
});
