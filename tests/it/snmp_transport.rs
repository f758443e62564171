//! The SNMP client against net-snmp's agent, and against agents that misbehave.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU8;
use std::time::Duration;

use gamops::dialect::snmp::{BOARD_MAC, IDENTITY, SYS_DESCR, identity};
use gamops::domain::{Model, Secret, SnmpValue};
use gamops::transport::Retry;
use gamops::transport::snmp::{Agent, Answer, SnmpError, Version, get};
use tokio::net::UdpSocket;

use crate::support::program::free_udp_port;
use crate::support::snmpd::Snmpd;

fn agent(address: SocketAddr) -> Agent {
    Agent {
        host: address.ip().to_string(),
        port: address.port(),
        version: Version::V2c,
        community: Secret::new("canary-public"),
        timeout: Duration::from_millis(500),
        attempts: NonZeroU8::new(3).unwrap(),
    }
}

/// net-snmp's agent, answering as a GAM would.
async fn snmpd() -> (Snmpd, Agent) {
    let snmpd = Snmpd::start(
        Ipv4Addr::LOCALHOST,
        "canary-public",
        "override .1.3.6.1.2.1.1.1.0 octet_str \"GAM-4-CX-AC GigaBit Ethernet Switch\"\n\
         override .1.3.6.1.2.1.1.2.0 object_id .1.3.6.1.4.1.20095.2000.1.18\n\
         override .1.3.6.1.4.1.20095.2001.24.1.3.5.1.0 octet_str 0x000ed81ab9e2\n\
         override .1.3.6.1.4.1.20095.2001.24.1.3.5.3.0 octet_str \"01013599\"\n\
         override .1.3.6.1.4.1.20095.9.1.0 integer -7\n\
         override .1.3.6.1.4.1.20095.9.2.0 uinteger 4000000000\n",
    )
    .await;
    let agent = Agent {
        timeout: Duration::from_secs(2),
        ..agent(snmpd.address)
    };
    (snmpd, agent)
}

#[tokio::test]
async fn net_snmp_s_agent_tells_which_device_it_is() {
    let (_snmpd, agent) = snmpd().await;
    let Answer::Values(values) = get(&agent, IDENTITY).await.unwrap() else {
        panic!("silent")
    };
    let identity = identity(&values);
    assert_eq!(identity.model, Model::by_name("GAM-4-CX"));
    assert_eq!(identity.mac, "00:0e:d8:1a:b9:e2".parse().ok());
    assert_eq!(identity.serial.as_deref(), Some("01013599"));
    assert!(identity.uptime.is_some());
}

#[tokio::test]
async fn version_1_is_understood_and_refuses_a_question_for_what_is_absent() {
    let (_snmpd, agent) = snmpd().await;
    let agent = Agent {
        version: Version::V1,
        ..agent
    };
    let Answer::Values(values) = get(&agent, IDENTITY).await.unwrap() else {
        panic!("silent")
    };
    assert_eq!(identity(&values).model, Model::by_name("GAM-4-CX"));
    let absent: &[u64] = &[1, 3, 6, 1, 4, 1, 20095, 9, 3, 0];
    let error = get(&agent, &[SYS_DESCR, absent]).await.unwrap_err();
    assert!(
        matches!(
            error,
            SnmpError::Refused {
                status: 2,
                index: 2,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn every_kind_of_value_arrives_and_what_is_absent_is_said_to_be() {
    let (_snmpd, agent) = snmpd().await;
    let mine = |last: u64| [1, 3, 6, 1, 4, 1, 20095, 9, last, 0];
    let oids = [mine(1), mine(2), mine(3)];
    let asked: Vec<&[u64]> = oids.iter().map(|oid| oid.as_slice()).chain([BOARD_MAC]).collect();
    let Answer::Values(values) = get(&agent, &asked).await.unwrap() else {
        panic!("silent")
    };
    let values: Vec<SnmpValue> = values.into_iter().map(|(_, value)| value).collect();
    assert_eq!(
        values,
        [
            SnmpValue::Integer(-7),
            SnmpValue::Unsigned(4_000_000_000),
            SnmpValue::Absent,
            SnmpValue::Bytes(vec![0x00, 0x0e, 0xd8, 0x1a, 0xb9, 0xe2]),
        ]
    );
}

#[tokio::test]
async fn a_wrong_community_is_silence_and_shows_nowhere() {
    let (_snmpd, agent) = snmpd().await;
    let wrong = Agent {
        community: Secret::new("canary-other"),
        timeout: Duration::from_millis(50),
        ..agent
    };
    assert_eq!(get(&wrong, &[SYS_DESCR]).await.unwrap(), Answer::Silent);
    assert!(!format!("{wrong:?}").contains("canary"));
}

#[tokio::test]
async fn silence_is_asked_as_often_as_was_said() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let quiet = Agent {
        timeout: Duration::from_millis(50),
        ..agent(socket.local_addr().unwrap())
    };
    assert_eq!(get(&quiet, &[SYS_DESCR]).await.unwrap(), Answer::Silent);
    let mut questions = 0;
    let mut packet = [0; 1500];
    while socket.try_recv_from(&mut packet).is_ok() {
        questions += 1;
    }
    assert_eq!(questions, 3);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_silence() {
    let nobody = Agent {
        timeout: Duration::from_millis(20),
        ..agent(([127, 0, 0, 1], free_udp_port()).into())
    };
    assert_eq!(get(&nobody, &[SYS_DESCR]).await.unwrap(), Answer::Silent);
}

/// An agent that turns each question into answers by `reply`.
async fn scripted(reply: impl Fn(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Agent {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        let mut count = 0;
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            for answer in reply(count, &packet[..length]) {
                let _ = socket.send_to(&answer, from).await;
            }
            count += 1;
        }
    });
    agent(address)
}

/// The question itself turned into an answer that holds NULL, which an agent says for "nothing".
fn echo(question: &[u8], request_id_off_by: u8) -> Vec<u8> {
    // A GET of one short name: SEQUENCE, version (3), community (2 + n), PDU 0xa0, its length, then the id.
    let mut answer = question.to_vec();
    let pdu = 2 + 3 + 2 + "canary-public".len();
    assert_eq!(answer[pdu], 0xa0, "{question:x?}");
    answer[pdu] = 0xa2;
    let id_length = usize::from(answer[pdu + 3]);
    let id_end = pdu + 3 + id_length;
    answer[id_end] = answer[id_end].wrapping_add(request_id_off_by);
    answer
}

#[tokio::test]
async fn an_answer_to_another_question_is_not_taken_and_ours_is_asked_again() {
    let agent = scripted(|count, question| {
        if count == 0 {
            vec![echo(question, 1)]
        } else {
            vec![echo(question, 0)]
        }
    })
    .await;
    let answer = get(&agent, &[SYS_DESCR]).await.unwrap();
    assert_eq!(answer, Answer::Values(vec![(SYS_DESCR.to_vec(), SnmpValue::Absent)]));
}

#[tokio::test]
async fn an_agent_slower_than_our_patience_once_is_heard_at_the_next_question() {
    let kept = std::sync::Mutex::new(Vec::new());
    let agent = scripted(move |count, question| {
        let mut kept = kept.lock().unwrap();
        kept.push(echo(question, 0));
        // The first answer comes late, together with the second.
        if count == 0 {
            Vec::new()
        } else {
            kept.drain(..).collect()
        }
    })
    .await;
    let answer = get(&agent, &[SYS_DESCR]).await.unwrap();
    assert_eq!(answer, Answer::Values(vec![(SYS_DESCR.to_vec(), SnmpValue::Absent)]));
}

#[tokio::test]
async fn an_agent_that_only_ever_answers_something_else_is_silent_in_the_end() {
    let agent = scripted(|_, question| vec![echo(question, 1)]).await;
    assert_eq!(get(&agent, &[SYS_DESCR]).await.unwrap(), Answer::Silent);
}

#[tokio::test]
async fn garbage_is_an_error_not_silence() {
    let agent = scripted(|_, _| vec![b"HTTP/1.1 400 Bad Request".to_vec()]).await;
    let error = get(&agent, &[SYS_DESCR]).await.unwrap_err();
    assert!(matches!(error, SnmpError::Garbled { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::Soon);
}

#[tokio::test]
async fn an_error_status_is_the_agent_s_refusal() {
    let agent = scripted(|_, question| {
        let mut answer = echo(question, 0);
        let pdu = 2 + 3 + 2 + "canary-public".len();
        let status = pdu + 3 + usize::from(answer[pdu + 3]) + 3;
        answer[status] = 5;
        vec![answer]
    })
    .await;
    let error = get(&agent, &[SYS_DESCR]).await.unwrap_err();
    assert!(matches!(error, SnmpError::Refused { status: 5, .. }), "{error:?}");
}

#[tokio::test]
async fn a_name_without_address_and_a_name_that_is_none_are_errors() {
    let mut agent = agent(([127, 0, 0, 1], 9).into());
    agent.host = "no-such-host.invalid".to_owned();
    assert!(matches!(get(&agent, &[SYS_DESCR]).await, Err(SnmpError::Reach { .. })));
    assert!(matches!(get(&agent, &[&[9]]).await, Err(SnmpError::BadOid { .. })));
}
