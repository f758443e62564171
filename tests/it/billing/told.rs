//! What is told of billing: by `gamops status`, to Prometheus, and to people; and what goes on meanwhile.

use std::time::{Duration, Instant};

use gamops::sim::sonar::SonarFault;

use super::*;
use crate::metrics::promtool;
use crate::support::http_sink::{HttpSink, Sent};

/// What a webhook is told of billing: kind and state, in order.
fn told(sent: &[Sent]) -> Vec<String> {
    let events = sent
        .iter()
        .flat_map(|sent| sent.json()["events"].as_array().unwrap().clone());
    let events = events.filter(|event| event["billing"] == "sonar");
    let word = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    events
        .map(|event| format!("{} {}", word(&event, "kind"), word(&event, "state")))
        .collect()
}

impl Isp {
    /// Waits until so much was told of billing, and gives it.
    #[track_caller]
    fn until_told(&self, sink: &HttpSink, number: usize) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            let told = told(&sink.sent());
            if told.len() >= number {
                return told;
            }
            std::thread::yield_now();
        }
        panic!("only {:?}\n{}", told(&sink.sent()), self.service.log());
    }

    /// Has everything looked at, and waits until it was.
    fn sweep(&self, daemon: &Daemon<'_>) {
        let swept = |status: &Value| self.billed(status)["swept"].clone();
        let before = swept(&daemon.until("there", |_| true));
        self.knock();
        daemon.until("everything was looked at", |status| swept(status) != before);
    }

    /// Sonar says that something has changed that is no account's.
    fn knock(&self) {
        let body = r#"{"event":"service.updated","object_id":70,"current":{"id":70}}"#;
        let url = self.service.url(&format!("billing/sonar/{HOOK}"));
        let (status, _) = self.service.curl(&["--data-binary", body, &url]);
        assert_eq!(status, 200);
    }
}

#[test]
fn people_are_told_of_billing_once_and_once_that_it_is_over() {
    let sink = HttpSink::start();
    let isp = Isp::new(BillingKind::Sonar, "    limits: { suspend: { run: { count: 1 } } }\n");
    let System::Sonar(sonar) = &isp.system else {
        unreachable!("it was asked for");
    };
    let path = isp.service.path();
    let tell = format!(
        "tell: {{ unreachable_after: 1s, gather: 1s, retry: 1s, channels: [{{ name: noc, webhook: {{ url: \"{}\" }} }}] }}\n",
        sink.url()
    );
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &tell).unwrap();
    let daemon = isp.launch(&[]);
    daemon.until("the first sweep", |status| !isp.billed(status)["swept"].is_null());

    // Two at once are above the limit, and somebody new says the endpoint of somebody else.
    sonar.suspend(1001);
    sonar.suspend(1002);
    let mut thief = customer(8, 1);
    thief.services[0].mac = Some("000ED8000003".to_owned());
    sonar.add(&thief);
    isp.sweep(&daemon);
    let mut expected = vec!["billing-refused raised", "billing-question raised"];
    assert_eq!(isp.until_told(&sink, 2), expected);
    let text = sink.sent().iter().map(|sent| sent.body.clone()).collect::<String>();
    assert!(
        text.contains("--allow suspend=2") && text.contains("1008/5008"),
        "{text}"
    );
    assert!(!text.contains("Customer 8") && !text.contains("Elm Street"), "{text}");
    let schema = isp.service.run(&["schema", "notification"]).expect(0).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    for sent in sink.sent() {
        assert!(jsonschema::is_valid(&schema, &sent.json()), "{}", sent.body);
    }
    let _ = isp
        .service
        .run(&["status"])
        .expect(1)
        .says("SONAR REFUSED by `limits.suspend`: 2 at once, and the limit is 1");

    // Prometheus reads the same.
    let (_, plain) = isp.service.get("metrics");
    assert_eq!(promtool(&plain), "", "{plain}");
    for sample in [
        "gamops_billing_accounts{system=\"sonar\"} 6",
        "gamops_billing_failing{system=\"sonar\"} 0",
        "gamops_billing_open{system=\"sonar\",why=\"refused\"} 2",
        "gamops_billing_open{system=\"sonar\",why=\"conflict\"} 0",
        "gamops_billing_webhooks_total{system=\"sonar\",outcome=\"recorded\"} 1",
        "gamops_billing_commits_total{system=\"sonar\"} 0",
    ] {
        assert!(plain.lines().any(|line| line == sample), "no {sample} in\n{plain}");
    }

    // Neither more of the same nor a restart is news.
    isp.sweep(&daemon);
    assert_eq!(daemon.signal("KILL"), None);
    let daemon = isp.launch(&[]);
    daemon.until("swept again", |status| !isp.billed(status)["swept"].is_null());
    isp.sweep(&daemon);
    sonar.activate(1001);
    isp.sweep(&daemon);
    expected.push("billing-refused over");
    assert_eq!(isp.until_told(&sink, 3), expected);

    // Nobody answers, for longer than a blip.
    sonar.fault_after(0, 1000, SonarFault::Html(503));
    isp.knock();
    expected.push("billing-unreachable raised");
    assert_eq!(isp.until_told(&sink, 4), expected);
    sonar.heal();
    expected.push("billing-unreachable over");
    assert_eq!(isp.until_told(&sink, 5), expected);

    // The inventory is not valid while something waits.
    let services = isp.written();
    isp.service
        .origin
        .git(&["pull", "--quiet", &isp.service.origin.bare().to_string_lossy(), "main"]);
    isp.service
        .origin
        .write("services.yaml", &services.replace("plan: gold", "plan: glod"));
    isp.service.origin.push("a slip");
    isp.knock();
    expected.push("billing-unwritten raised");
    assert_eq!(isp.until_told(&sink, 6), expected);
    let last = sink.sent().last().unwrap().body.clone();
    assert!(
        last.contains("1 webhook to be looked at") && last.contains("glod"),
        "{last}"
    );
    isp.service.origin.write("services.yaml", &services);
    isp.service.origin.push("mended");
    expected.push("billing-unwritten over");
    assert_eq!(isp.until_told(&sink, 7), expected);
    assert_eq!(daemon.signal("TERM"), Some(0));
    for secret in [TOKEN, HOOK] {
        assert!(sink.sent().iter().all(|sent| !sent.body.contains(secret)));
    }
}

#[test]
fn a_mirror_that_cannot_be_opened_stops_billing_alone_and_nothing_that_was_told_is_lost() {
    let isp = Isp::new(BillingKind::Sonar, "");
    let mirror = isp.service.path().with_file_name("mirror.billing.git");
    std::fs::write(&mirror, "this is no folder").unwrap();
    let daemon = isp.launch(&[]);
    isp.until_in_force(&daemon, 1);
    let status = daemon.until("told why", |status| !isp.billed(status)["unwritten"].is_null());
    let reason = isp.billed(&status)["unwritten"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("mirror.billing.git"), "{reason}");
    isp.does(|splynx| splynx.customer(1001).block(), |sonar| sonar.suspend(1001));
    daemon.until("something waits", |status| isp.billed(status)["waiting"] == 1);
    let _ = isp
        .service
        .run(&["status"])
        .expect(1)
        .says("Sonar: not looked at yet")
        .says("SONAR NOT WRITTEN since")
        .says("Sonar: 1 webhook to be looked at")
        .says("2 of 2 devices fine");
    std::fs::remove_file(&mirror).unwrap();
    isp.until_in_force(&daemon, 2);

    // It goes away while everything is well.
    std::fs::remove_dir_all(&mirror).unwrap();
    isp.does(|splynx| splynx.customer(1001).pay(), |sonar| sonar.activate(1001));
    isp.until_in_force(&daemon, 3);
    let status = daemon.until("well", |status| isp.billed(status)["unwritten"].is_null());
    assert_eq!(isp.billed(&status)["commits"], 2);
    assert_eq!(isp.billed(&status)["waiting"], 0);
    assert_eq!(isp.billed(&status)["knocks"]["recorded"], 2);
    let _ = isp
        .service
        .run(&["status"])
        .expect(0)
        .says("Sonar: 2 commits since the daemon began");
}

impl Isp {
    /// Has something happen in Sonar, which knocks, and waits until it was looked at.
    fn looked_at(&self, daemon: &Daemon<'_>, on_sonar: impl FnOnce(&Sonar)) {
        let looked = |status: &Value| self.billed(status)["looked"].clone();
        let before = looked(&daemon.until("there", |_| true));
        self.does(|_| (), on_sonar);
        daemon.until("looked at", |status| {
            looked(status) != before && self.billed(status)["waiting"] == 0
        });
    }
}

#[test]
fn a_webhook_takes_nothing_back_that_a_sweep_has_proposed() {
    let isp = Isp::new(BillingKind::Sonar, "    ways: { suspend: propose }\n");
    let daemon = isp.launch(&[]);
    daemon.until("the first sweep", |status| !isp.billed(status)["swept"].is_null());
    isp.looked_at(&daemon, |sonar| sonar.suspend(1001));
    let branch = "gamops/billing/sonar/suspend";
    assert_eq!(isp.git(&["branch", "--list", branch]), "");
    isp.looked_at(&daemon, |sonar| sonar.suspend(1002));
    isp.sweep(&daemon);
    let proposed = isp.git(&["rev-parse", branch]);
    let suspended = |text: &str| text.matches("state: suspended").count();
    assert_eq!(suspended(&isp.git(&["show", &format!("{branch}:services.yaml")])), 2);
    let _ = isp
        .service
        .run(&["status"])
        .expect(0)
        .says("Sonar: proposed as gamops/billing/sonar/suspend: 2 subscribers: 2 suspended");
    // It pays and owes again.
    isp.looked_at(&daemon, |sonar| {
        sonar.activate(1002);
        sonar.suspend(1002);
    });
    assert_eq!(isp.git(&["rev-parse", branch]), proposed);
    isp.sweep(&daemon);
    assert_eq!(isp.git(&["rev-parse", branch]), proposed);
    assert_eq!(suspended(&isp.written()), 0);
}

#[test]
fn what_was_told_of_an_account_is_heard_though_the_whole_is_not_believed() {
    let isp = Isp::new(BillingKind::Sonar, "    limits: { lose: { count: 0 } }\n");
    let System::Sonar(sonar) = &isp.system else {
        unreachable!("it was asked for");
    };
    let daemon = isp.launch(&[]);
    daemon.until("the first sweep", |status| !isp.billed(status)["swept"].is_null());
    sonar.fault_after(0, 1000, SonarFault::Html(503));
    isp.knock();
    isp.does(|_| (), |sonar| sonar.suspend(1001));
    daemon.until("both wait", |status| {
        isp.billed(status)["waiting"] == 2 && !isp.billed(status)["failing"].is_null()
    });
    sonar.heal();
    sonar.fault_after(0, 1000, SonarFault::Collapse(4));
    let status = daemon.until("looked at", |status| isp.billed(status)["waiting"] == 0);
    let reason = isp.billed(&status)["distrusted"]["reason"].as_str().unwrap();
    assert!(reason.contains("Sonar tells of 4 accounts and told of 5"), "{reason}");
    isp.until_in_force(&daemon, 2);
    let message = isp.git(&["log", "-1", "--format=%B", "main"]);
    assert!(
        message.contains("Billing-Change: suspend s-1 state=suspended"),
        "{message}"
    );
}
