//! People are told, over real HTTP and SMTP: once when something goes wrong and once when it is over, whatever happens to
//! the daemon and to the channels meanwhile.

use std::process::Command;
use std::time::{Duration, Instant};

use gamops::sim::Fault;
use serde_json::Value;

use crate::daemon::{Service, short};
use crate::fleet::{Ran, SERVICES};
use crate::support::http_sink::{Answer, HttpSink, Sent};
use crate::support::program::{find, free_tcp_port};
use crate::support::smtp_server::{Encrypts, Mail, SmtpServer};

/// Secrets of every channel; none of them may show anywhere.
const NOC: (&str, &str) = ("GAMOPS_CRED_NOC_PASSWORD", "canary-noc");

fn settings(channels: &[String]) -> String {
    format!(
        "drift: {{ every: 1s }}\ndevices: {{ retry: 1s, retry_at_most: 1s }}\n\
         tell:\n  unreachable_after: 1s\n  gather: 1s\n  retry: 1s\n  channels:\n{}",
        channels
            .iter()
            .map(|channel| format!("    - {channel}\n"))
            .collect::<String>()
    )
}

fn webhook(sink: &HttpSink, more: &str) -> String {
    format!(
        "{{ name: noc, webhook: {{ url: \"{}\", credentials: noc }}{more} }}",
        sink.url()
    )
}

/// Waits until something is there, and gives it.
#[track_caller]
fn wait<T>(service: &Service, what: &str, look: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if let Some(found) = look() {
            return found;
        }
        std::thread::yield_now();
    }
    panic!("never {what}\n{}", service.log());
}

/// What the messages say: kind, state and device of each event.
fn told(sent: &[Sent]) -> Vec<String> {
    let events = sent
        .iter()
        .flat_map(|sent| sent.json()["events"].as_array().unwrap().clone());
    let word = |event: &Value, name: &str| event[name].as_str().unwrap_or("-").to_owned();
    events
        .map(|event| {
            format!(
                "{} {} {}",
                word(&event, "kind"),
                word(&event, "state"),
                word(&event, "device")
            )
        })
        .collect()
}

fn tamper(service: &Service, vlan: u16) {
    service
        .fleet
        .device("maple")
        .execute(&format!("ghn subscriber 1 vid {vlan}"));
}

fn code(secret: &str, body: &str, service: &Service) -> String {
    let file = service.path().with_file_name("body");
    std::fs::write(&file, body).unwrap();
    let mut openssl = Command::new(find("openssl", "openssl"));
    let output = openssl
        .args(["dgst", "-sha256", "-hmac", secret, "-r"])
        .arg(&file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    format!("sha256={}", text.split(' ').next().unwrap())
}

#[test]
fn drift_is_told_once_over_many_rounds_and_a_restart_and_its_end_once() {
    let sink = HttpSink::start();
    let service = Service::new(&settings(&[webhook(&sink, "")]));
    let first = short(&service.origin.push("one"));
    let daemon = service.start_with(&[NOC]);
    daemon.until_applied(&first);
    tamper(&service, 3999);
    wait(&service, "told of it", || (!sink.sent().is_empty()).then_some(()));
    let rounds = |status: &Value| status["rounds"]["drift"].as_u64().unwrap_or(0);
    daemon.until("five rounds on", |status| rounds(status) >= 5);
    assert_eq!(daemon.signal("KILL"), None);

    let daemon = service.start_with(&[NOC]);
    daemon.until("two rounds on", |status| rounds(status) >= 2);
    tamper(&service, 101);
    wait(&service, "told that it is over", || {
        (sink.sent().len() >= 2).then_some(())
    });
    let looks = |status: &Value| status["rounds"]["in-sync"].as_u64().unwrap_or(0);
    daemon.until("two rounds on", |status| looks(status) >= 2);
    assert_eq!(daemon.signal("TERM"), Some(0));

    let sent = sink.sent();
    assert_eq!(
        told(&sent),
        ["drifted raised maple", "drifted over maple"],
        "{}",
        service.log()
    );
    let schema = service.run(&["schema", "notification"]).expect(0).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    for sent in &sent {
        let body = sent.json();
        assert!(jsonschema::is_valid(&schema, &body), "{body:#}");
        assert_eq!(
            sent.header("X-Gamops-Signature-256"),
            code("canary-noc", &sent.body, &service)
        );
        assert_eq!(body["delivery"], sent.header("X-Gamops-Delivery"));
        let moment: jiff::Timestamp = body["sent"].as_str().unwrap().parse().unwrap();
        assert_eq!(moment.as_second().to_string(), sent.header("X-Gamops-Timestamp"));
    }
    let text = sent[0].json()["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("- maple, since ") && text.contains("subscriber/s-1"),
        "{text}"
    );
    assert!(!service.log().contains("canary-noc"), "{}", service.log());
}

#[test]
fn a_channel_that_is_down_gets_it_later_and_one_that_hangs_delays_nobody() {
    let (sink, hanging) = (HttpSink::start(), HttpSink::start());
    hanging.answer(Answer::Never);
    let port = free_tcp_port();
    let service = Service::new(&settings(&[
        webhook(&sink, ""),
        format!("{{ name: slow, webhook: {{ url: \"{}\" }} }}", hanging.url()),
        format!("{{ name: down, webhook: {{ url: \"http://127.0.0.1:{port}/\" }} }}"),
    ]));
    let first = short(&service.origin.push("one"));
    let daemon = service.start_with(&[NOC]);
    daemon.until_applied(&first);
    sink.answer(Answer::With(503, "overloaded"));
    tamper(&service, 3999);
    let status = daemon.until("seen as not told", |status| {
        status["untold"]["noc"].is_object() && status["untold"]["down"].is_object()
    });
    let reason = status["untold"]["noc"]["reason"].as_str().unwrap();
    assert!(reason.contains("answered with status 503 (overloaded)"), "{reason}");
    let _ = service
        .run(&["status"])
        .expect(1)
        .says("NOT TOLD since")
        .says("channel `down`");
    wait(&service, "tried twice", || (sink.sent().len() >= 2).then_some(()));
    sink.answer(Answer::Elsewhere);
    daemon.until("noticed that it went elsewhere", |status| {
        let reason = status["untold"]["noc"]["reason"].as_str().unwrap_or_default();
        reason.contains("it sends elsewhere")
    });
    sink.answer(Answer::With(200, "ok"));
    daemon.until("told", |status| status["untold"]["noc"].is_null());
    // However often it was sent: it is one message, by its name.
    let sent = sink.sent();
    let names: std::collections::BTreeSet<&str> = sent.iter().map(|sent| sent.header("X-Gamops-Delivery")).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    wait(&service, "begun with the slow one", || {
        (hanging.sent().len() == 1).then_some(())
    });
    // Rounds go on, and so do the others' messages.
    tamper(&service, 101);
    wait(&service, "told that it is over", || {
        told(&sink.sent())
            .contains(&"drifted over maple".to_owned())
            .then_some(())
    });

    // What a channel was not told before a restart it is told after it, in order and once.
    assert_eq!(daemon.signal("KILL"), None);
    let back = HttpSink::start_at(port);
    let daemon = service.start_with(&[NOC]);
    wait(&service, "told what it missed", || {
        (told(&back.sent()).len() >= 2).then_some(())
    });
    daemon.until("told", |status| status["untold"]["down"].is_null());
    assert_eq!(told(&back.sent()), ["drifted raised maple", "drifted over maple"]);
    assert_eq!(daemon.signal("TERM"), Some(0));
}

#[test]
fn devices_that_fall_silent_together_are_one_message_and_a_blip_is_none() {
    let (sink, chat) = (HttpSink::start(), HttpSink::start());
    let service = Service::new(&settings(&[
        webhook(&sink, ", when: { kinds: [unreachable, drifted] }"),
        "{ name: chat, slack: { credentials: chat }, when: { kinds: [unreachable, applied], devices: [\"map*\"] } }"
            .to_owned(),
    ]));
    let first = short(&service.origin.push("one"));
    let daemon = service.start_with(&[NOC, ("GAMOPS_CRED_CHAT_PASSWORD", &chat.url())]);
    daemon.until_applied(&first);
    for key in ["maple", "harbour"] {
        service.fleet.device(key).set_fault(Fault::SessionsTaken);
    }
    wait(&service, "told", || (!sink.sent().is_empty()).then_some(()));
    for key in ["maple", "harbour"] {
        service.fleet.device(key).clear_faults();
    }
    wait(&service, "told that it is over", || {
        (told(&sink.sent()).len() == 4).then_some(())
    });
    // In the order in which they fell silent, which is nobody's to say.
    let mut together = told(&sink.sent()[..1]);
    together.sort();
    assert_eq!(
        together,
        ["unreachable raised harbour", "unreachable raised maple"],
        "{}",
        service.log()
    );
    let text = wait(&service, "told the chat", || {
        let texts = chat
            .sent()
            .into_iter()
            .map(|sent| sent.json()["text"].as_str().unwrap().to_owned());
        let texts: Vec<String> = texts.collect();
        texts
            .iter()
            .any(|text| text.contains("Answers again"))
            .then(|| texts.concat())
    });
    assert!(
        text.contains("Applied") && text.contains("maple") && !text.contains("harbour"),
        "{text}"
    );
    assert_eq!(daemon.signal("TERM"), Some(0));
    // Whoever knows the address may write there.
    assert!(!service.log().contains("canary-address"), "{}", service.log());
}

#[test]
fn commits_that_are_not_valid_and_plans_that_are_refused_are_told_by_mail() {
    let service = Service::new("");
    let folder = service.path().parent().unwrap().to_owned();
    let server = SmtpServer::start(&folder, Encrypts::OnRequest, true);
    service.settings(&settings(&[format!(
        "{{ name: mail, email: {{ server: 127.0.0.1, port: {}, credentials: mail, from: gamops@example.org, \
         to: [noc@example.org, \"Bo <bo@example.org>\"], authorities: mail.pem }} }}",
        server.port()
    )]));
    let first = short(&service.origin.push("one"));
    let login = [
        ("GAMOPS_CRED_MAIL_USERNAME", "gamops"),
        ("GAMOPS_CRED_MAIL_PASSWORD", "canary-mail"),
    ];
    let daemon = service.start_with(&login);
    daemon.until_applied(&first);
    let mail = |what: &str, subject: &str| -> Mail {
        wait(&service, what, || {
            server
                .mails()
                .into_iter()
                .find(|mail| mail.text.contains(&format!("Subject: [gamops test] {subject}")))
        })
    };
    service
        .origin
        .write("services.yaml", &SERVICES.replace("plan: gold", "plan: glod"));
    let bad = short(&service.origin.push("bad"));
    let rejected = mail("told of the commit", &format!("{bad}: Commit not valid"));
    assert!(rejected.encrypted && rejected.logged_in, "{rejected:?}");
    assert_eq!(
        rejected.envelope,
        [
            "MAIL FROM:<gamops@example.org>",
            "RCPT TO:<noc@example.org>",
            "RCPT TO:<bo@example.org>"
        ]
    );
    assert!(rejected.text.contains("unknown-plan"), "{}", rejected.text);

    service.write_two_less();
    let refused = short(&service.origin.push("two less"));
    let over = wait(&service, "told of the guard", || {
        let mails = server.mails();
        let of_guard = |mail: &&Mail| mail.text.contains("Plan refused") && mail.text.contains(&refused);
        mails.iter().any(|mail| of_guard(&mail)).then_some(mails)
    });
    assert!(over.iter().any(|mail| mail.text.contains("Valid again")), "{over:?}");
    let _ = service.origin.push("meant\n\nGamops-Allow: destroy=2");
    wait(&service, "told that it is over", || {
        server
            .mails()
            .into_iter()
            .find(|mail| mail.text.contains("No longer refused by guards"))
    });
    assert_eq!(daemon.signal("TERM"), Some(0));
    assert!(!service.log().contains("canary"), "{}", service.log());
    // Of a plan that is refused as a whole nobody is told device by device.
    assert!(
        server
            .mails()
            .iter()
            .all(|mail| !mail.text.contains("its changes are refused"))
    );
}

/// `gamops tell test` with these channels and this password of the mail server.
fn try_out(service: &Service, channels: &[String], password: &str) -> Ran {
    service.settings(&settings(channels));
    let path = service.path().to_string_lossy().into_owned();
    let mut command = service.fleet.command(&["tell", "test", "--settings", &path]);
    command
        .env(NOC.0, NOC.1)
        .env("GAMOPS_CRED_MAIL_USERNAME", "gamops")
        .env("GAMOPS_CRED_MAIL_PASSWORD", password);
    command.output().unwrap().into()
}

#[test]
fn a_trial_says_of_each_channel_what_came_of_it() {
    let sink = HttpSink::start();
    let service = Service::new("");
    let folder = service.path().parent().unwrap().to_owned();
    let never = |name: &str| {
        let folder = folder.join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    let (plain, always) = (never("plain"), never("always"));
    let plain_server = SmtpServer::start(&plain, Encrypts::Never, false);
    let always_server = SmtpServer::start(&always, Encrypts::Always, true);
    let mail = |name: &str, server: &SmtpServer, more: &str| {
        format!(
            "{{ name: {name}, email: {{ server: 127.0.0.1, port: {}, from: gamops@example.org, to: [noc@example.org]{more} }} }}",
            server.port()
        )
    };
    let ways = [
        webhook(&sink, ", when: { kinds: [failed] }"),
        mail("relay", &plain_server, ", security: none"),
        mail(
            "tls",
            &always_server,
            ", security: tls, credentials: mail, authorities: always/mail.pem",
        ),
    ];
    let ran = try_out(&service, &ways, "canary-mail").expect(0);
    assert_eq!(ran.stdout.matches("taken      ").count(), 3, "{}", ran.stdout);
    assert_eq!(told(&sink.sent()), ["test once -"]);
    let (relayed, encrypted) = (plain_server.mails(), always_server.mails());
    assert!(
        !relayed[0].encrypted && relayed[0].text.contains("This is a test"),
        "{relayed:?}"
    );
    assert!(encrypted[0].encrypted && encrypted[0].logged_in, "{encrypted:?}");
    let path = service.path().to_string_lossy().into_owned();
    let _ = service
        .run(&["settings", "check", &path])
        .expect(0)
        .says("Tells tls: mail to noc@example.org by 127.0.0.1");

    // Each thing that can be wrong is named; no secret is.
    sink.answer(Answer::With(404, "<html>nothing here</html>"));
    let ways = [
        webhook(&sink, ""),
        mail("in-the-clear", &plain_server, ""),
        mail("stranger", &always_server, ", security: tls"),
        mail(
            "password",
            &always_server,
            ", security: tls, credentials: mail, authorities: always/mail.pem",
        ),
        "{ name: chat, slack: { credentials: nowhere } }".to_owned(),
    ];
    let ran = try_out(&service, &ways, "canary-wrong")
        .expect(1)
        .says("status 404 (a web page); is the address right?")
        .says("STARTTLS")
        .says("535")
        .says("credentials `nowhere` have no password");
    assert_eq!(ran.stdout.matches("NOT TAKEN  ").count(), 5, "{}", ran.stdout);
    assert!(
        !ran.stdout.contains("canary-wrong") && !ran.stderr.contains("canary"),
        "{}",
        ran.stdout
    );
    assert_eq!((plain_server.mails().len(), always_server.mails().len()), (1, 1));
}

#[test]
fn the_message_in_the_documentation_is_one() {
    let service = Service::new("");
    let schema = service.run(&["schema", "notification"]).expect(0).stdout;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(
        schema,
        std::fs::read_to_string(root.join("schema/notification.schema.json")).unwrap()
    );
    let page = std::fs::read_to_string(root.join("docs/notifications.md")).unwrap();
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(jsonschema::is_valid(&schema, &example), "{example:#}");
    // The settings in it are some.
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (yaml, _) = rest.split_once("```").unwrap();
    service.settings(yaml);
    let path = service.path().to_string_lossy().into_owned();
    let ran = service.run(&["settings", "check", &path]).expect(0);
    assert_eq!(ran.stdout.matches("Tells ").count(), 3, "{}", ran.stdout);
}
