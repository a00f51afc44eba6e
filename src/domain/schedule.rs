//! What starts the ticks: crontab blocks, systemd units, a Kubernetes `CronJob`, CI workflows. Texts out of a plan, and what
//! an installed text is worth. Nothing here touches the machine.

/// What the texts are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Minutes between ticks; one of [`EVERY`].
    pub every: u32,
    /// The program, as a whole path: cron's PATH is short.
    pub program: String,
    pub config: String,
    /// The state file; not named where systemd gives the folder.
    pub state: String,
    /// The PATH that ticks, agents and tests get.
    pub path: String,
    /// Names of credentials that the configuration reads from `$CREDENTIALS_DIRECTORY`.
    pub credentials: Vec<String>,
}

/// Minutes that divide an hour: a crontab knows no others.
pub const EVERY: [u32; 12] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60];

/// A tick that has not come to its end after this long is ended by systemd. Its own deadline is 4 minutes.
const LONGEST_TICK: &str = "15min";

impl Plan {
    /// For the files in `contrib/`: the usual places of a machine.
    pub fn usual() -> Self {
        Self {
            every: 2,
            program: "/usr/local/bin/offhours".to_owned(),
            config: "/etc/offhours/config.toml".to_owned(),
            state: "/var/lib/offhours/offhours.db".to_owned(),
            path: "/usr/local/bin:/usr/bin:/bin".to_owned(),
            credentials: vec!["github-token".to_owned()],
        }
    }
}

/// One word for a shell.
pub(super) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The lines around what is ours. The configuration's path tells two installations of one user apart.
fn marks(config: &str) -> (String, String) {
    (format!("# BEGIN offhours {config}"), format!("# END offhours {config}"))
}

/// The block for a crontab, with its marks. In a crontab a percent sign ends the command.
pub fn crontab_block(plan: &Plan) -> String {
    let (begin, end) = marks(&plan.config);
    let minutes = match plan.every {
        1 => "*".to_owned(),
        60 => "7".to_owned(),
        every => format!("*/{every}"),
    };
    let command = format!(
        "PATH={} {} --config {} --state {} tick",
        shell(&plan.path),
        shell(&plan.program),
        shell(&plan.config),
        shell(&plan.state)
    );
    format!(
        "{begin}\n# Made by `offhours schedule install crontab`, taken out by `offhours schedule remove`. Silent unless\n\
         # somebody has to act; cron mails what is printed.\n{minutes} * * * * {}\n{end}\n",
        command.replace('%', "\\%")
    )
}

/// Why a text with marks cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged;

/// The block of this configuration in a crontab, if it is there.
///
/// # Errors
/// Where its marks do not stand in pairs: nobody can tell then what is ours.
pub fn find_block<'t>(crontab: &'t str, config: &str) -> Result<Option<&'t str>, Damaged> {
    Ok(cut(crontab, config)?.map(|(from, to)| &crontab[from..to]))
}

/// Where the block begins and ends, in bytes.
fn cut(crontab: &str, config: &str) -> Result<Option<(usize, usize)>, Damaged> {
    let (begin, end) = marks(config);
    let (mut at, mut from, mut found) = (0, None, None);
    for line in crontab.split_inclusive('\n') {
        let next = at + line.len();
        let text = line.trim_end_matches(['\n', '\r']);
        if text == begin {
            if from.is_some() || found.is_some() {
                return Err(Damaged);
            }
            from = Some(at);
        } else if text == end {
            found = Some((from.take().ok_or(Damaged)?, next));
        }
        at = next;
    }
    if from.is_some() { Err(Damaged) } else { Ok(found) }
}

/// The crontab with the block in it, once: in the place of an older one, else at the end.
pub fn with_block(crontab: &str, plan: &Plan) -> Result<String, Damaged> {
    replaced(crontab, &plan.config, &crontab_block(plan))
}

/// The crontab with a block in the place of the one with these marks, else at the end.
pub(super) fn replaced(crontab: &str, marked: &str, block: &str) -> Result<String, Damaged> {
    if let Some((from, to)) = cut(crontab, marked)? {
        return Ok(format!("{}{block}{}", &crontab[..from], &crontab[to..]));
    }
    let between = if crontab.is_empty() || crontab.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{crontab}{between}{block}"))
}

/// The crontab without the block; everything else byte for byte.
pub fn without_block(crontab: &str, config: &str) -> Result<String, Damaged> {
    Ok(cut(crontab, config)?
        .map_or_else(|| crontab.to_owned(), |(from, to)| format!("{}{}", &crontab[..from], &crontab[to..])))
}

/// The PATH in a block of ours, as the shell reads it.
pub fn path_in(block: &str) -> Option<String> {
    let line = block.lines().find(|l| !l.starts_with('#') && l.contains(" PATH="))?;
    let rest = line.split_once(" PATH=")?.1.replace("\\%", "%");
    let (mut out, mut quoted, mut chars) = (String::new(), false, rest.chars());
    while let Some(c) = chars.next() {
        match c {
            '\'' => quoted = !quoted,
            '\\' if !quoted => out.extend(chars.next()),
            ' ' if !quoted => return Some(out),
            other => out.push(other),
        }
    }
    None
}

/// The mark on top of every file of ours: a file without it is somebody else's.
pub const UNIT_MARK: &str = "# Made by `offhours schedule install";

/// A word of a unit file: quotes, backslashes, percent signs and dollars mean something there.
pub(super) fn unit_word(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@=".contains(c);
    if !word.is_empty() && word.chars().all(plain) { escaped } else { format!("\"{escaped}\"") }
}

/// An assignment `Environment=` understands; a dollar means nothing there.
pub(super) fn unit_assignment(name: &str, value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    format!("Environment=\"{name}={escaped}\"")
}

/// `offhours.service` of a user.
pub fn user_service(plan: &Plan) -> String {
    format!(
        "{UNIT_MARK} systemd-user`, taken away by `offhours schedule remove`.\n\
         [Unit]\nDescription=offhours, one tick\nDocumentation=man:offhours(1)\n\n\
         [Service]\nType=oneshot\nExecStart={} --config {} --state {} tick\n{}\n{}",
        unit_word(&plan.program),
        unit_word(&plan.config),
        unit_word(&plan.state),
        unit_assignment("PATH", &plan.path),
        how_it_ends()
    )
}

/// What every service has about its end.
fn how_it_ends() -> String {
    format!(
        "# The tick ends; the agents that it started go on.\nKillMode=process\n\
         # What could not be reached is tried again by the next tick.\nSuccessExitStatus=75\n\
         TimeoutStartSec={LONGEST_TICK}\nNice=5\n"
    )
}

/// `offhours.service` of the system: its own user, its own folders, hardened as far as agents bear it.
pub fn system_service(plan: &Plan) -> String {
    let mut text = format!(
        "{UNIT_MARK} systemd-system`, taken away by `offhours schedule remove`.\n\
         # Before: useradd --system --create-home --home-dir /var/lib/offhours offhours\n\
         [Unit]\nDescription=offhours, one tick\nDocumentation=man:offhours(1)\n\
         Wants=network-online.target\nAfter=network-online.target\n\n\
         [Service]\nType=oneshot\nUser=offhours\nGroup=offhours\nExecStart={} --config {} tick\n{}\n{}\n",
        unit_word(&plan.program),
        unit_word(&plan.config),
        unit_assignment("PATH", &plan.path),
        unit_assignment("HOME", "/var/lib/offhours"),
    );
    text.push_str(&how_it_ends());
    text.push_str("# The state file, the clones and the kept work: /var/lib/offhours\nStateDirectory=offhours\nStateDirectoryMode=0700\n");
    for name in &plan.credentials {
        let line = format!("LoadCredential={name}:/etc/offhours/{name}\n");
        text.push_str(&line);
    }
    // PrivateTmp would be torn down under the agents that outlive the tick.
    text.push_str(
        "# Agents outlive the tick, so nothing here may be torn down with it (PrivateTmp, RuntimeDirectory).\n\
         NoNewPrivileges=yes\nProtectSystem=strict\nProtectHome=yes\nReadWritePaths=/tmp /var/tmp\n\
         ProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes\nProtectControlGroups=yes\n\
         RestrictSUIDSGID=yes\nRestrictRealtime=yes\nLockPersonality=yes\n",
    );
    text
}

/// `offhours.timer`, of a user or of the system.
pub fn timer(plan: &Plan, kind: &str) -> String {
    let at = if plan.every == 60 { "hourly".to_owned() } else { format!("*:0/{}", plan.every) };
    format!(
        "{UNIT_MARK} {kind}`, taken away by `offhours schedule remove`.\n\
         [Unit]\nDescription=offhours, every {} minute{}\n\n\
         [Timer]\nOnCalendar={at}\nRandomizedDelaySec=15\nAccuracySec=5\nPersistent=true\n\n\
         [Install]\nWantedBy=timers.target\n",
        plan.every,
        if plan.every == 1 { "" } else { "s" },
    )
}

/// As people say it.
pub fn often(every: u32) -> String {
    if every == 1 { "every minute".to_owned() } else { format!("every {every} minutes") }
}

/// The crontab field that workflows and Kubernetes share.
fn cron_field(every: u32) -> String {
    match every {
        1 => "* * * * *".to_owned(),
        60 => "7 * * * *".to_owned(),
        every => format!("*/{every} * * * *"),
    }
}

/// A Kubernetes `CronJob`. Its pods end with the tick, so the tick holds its turns to their end.
pub fn kubernetes(plan: &Plan) -> String {
    let every = cron_field(plan.every);
    format!(
        r#"# offhours as a CronJob. Made by `offhours schedule print kubernetes`.
#
# A pod is ended with its tick, so `--foreground` holds the turns to their end, and no second pod starts meanwhile.
# Pods have a new host name each time: set `machine = "cluster"` in the configuration.
#   kubectl create configmap offhours --from-file=config.toml
#   kubectl create secret generic offhours --from-file=github-token
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: offhours-state
spec:
  # The state file wants locks that hold: a disk of one node, not a network file system.
  accessModes: ["ReadWriteOnce"]
  resources:
    requests:
      storage: 20Gi
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: offhours
spec:
  schedule: "{every}"
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 120
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: 0
      # Longer than the longest turn with its tests: turn_timeout_seconds and verify_timeout_seconds, and some.
      activeDeadlineSeconds: 14400
      template:
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          securityContext:
            runAsNonRoot: true
            runAsUser: 1000
            fsGroup: 1000
          containers:
            - name: tick
              # An image with offhours, git, your agent and your test tools.
              image: offhours:latest
              args: ["--config", "/etc/offhours/config.toml", "--state", "/var/lib/offhours/offhours.db", "tick", "--foreground"]
              env:
                - name: HOME
                  value: /var/lib/offhours
                - name: CREDENTIALS_DIRECTORY
                  value: /run/secrets/offhours
              securityContext:
                allowPrivilegeEscalation: false
                capabilities:
                  drop: ["ALL"]
              volumeMounts:
                - {{ name: config, mountPath: /etc/offhours, readOnly: true }}
                - {{ name: credentials, mountPath: /run/secrets/offhours, readOnly: true }}
                - {{ name: state, mountPath: /var/lib/offhours }}
                - {{ name: tmp, mountPath: /tmp }}
          volumes:
            - {{ name: config, configMap: {{ name: offhours }} }}
            - {{ name: credentials, secret: {{ secretName: offhours, defaultMode: 288 }} }}
            - {{ name: state, persistentVolumeClaim: {{ claimName: offhours-state }} }}
            - {{ name: tmp, emptyDir: {{}} }}
"#
    )
}

/// Whose workflow file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actions {
    Github,
    Forgejo,
}

/// A workflow that runs ticks on a CI runner: the state is carried in the cache, turns are held to their end.
pub fn workflow(plan: &Plan, host: Actions) -> String {
    // More often than this CI schedules do not come, and each start costs minutes.
    let every = cron_field(plan.every.max(15));
    let (name, place, runs_on, cache, checkout) = match host {
        Actions::Github => {
            ("github", ".github/workflows", "ubuntu-latest", "actions/cache", "actions/checkout@v4")
        }
        Actions::Forgejo => (
            "forgejo",
            ".forgejo/workflows",
            "docker",
            "https://code.forgejo.org/actions/cache",
            "https://code.forgejo.org/actions/checkout@v4",
        ),
    };
    format!(
        r#"# offhours on a schedule. Made by `offhours schedule print {name}`; it goes to {place}/offhours.yml of a
# repository that holds offhours.toml and, in bin/, the program.
#
# Every job is a new machine: set `machine = "ci"` in offhours.toml. The state file is carried from job to job in the
# cache. If it is lost, nothing is started twice: claims on the forge decide.
name: offhours
on:
  schedule:
    - cron: "{every}"
  workflow_dispatch:
# One at a time, and never ended in the middle by the next.
concurrency:
  group: offhours
  cancel-in-progress: false
permissions:
  contents: read
jobs:
  tick:
    runs-on: {runs_on}
    timeout-minutes: 240
    env:
      OFFHOURS_CONFIG: ${{{{ github.workspace }}}}/offhours.toml
      STATE_DIRECTORY: ${{{{ github.workspace }}}}/.offhours
    steps:
      - uses: {checkout}
      - uses: {cache}/restore@v4
        with:
          path: .offhours
          key: offhours-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
          restore-keys: offhours-
      - name: tick
        env:
          # Not the job's own token: what it pushes starts no CI.
          GITHUB_TOKEN: ${{{{ secrets.OFFHOURS_TOKEN }}}}
          ANTHROPIC_API_KEY: ${{{{ secrets.ANTHROPIC_API_KEY }}}}
        run: |
          chmod +x bin/offhours
          # The machine is gone with the job: hold the turns to their end. 75 is: tried again by the next tick.
          bin/offhours tick --foreground --json || [ $? -eq 75 ]
      - uses: {cache}/save@v4
        if: always()
        with:
          path: .offhours
          key: offhours-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
"#
    )
}

/// Whether what is installed does its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Firing {
    /// A tick came in time.
    Good { ago: i64 },
    /// Nothing can be said yet: no tick came since it was switched on.
    Pending,
    /// Ticks came once, and do not any more.
    Silent { ago: i64 },
}

/// Looks at how long ago the last tick was; `None` where there never was one.
pub fn firing(last_tick_ago: Option<i64>, every: u32) -> Firing {
    // A tick may be skipped while another runs, and takes its own time.
    let most = i64::from(every) * 60 * 3 + 300;
    match last_tick_ago {
        None => Firing::Pending,
        Some(ago) if ago <= most => Firing::Good { ago },
        Some(ago) => Firing::Silent { ago },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_read_aloud() {
        insta::assert_snapshot!(crontab_block(&Plan::usual()), @"
        # BEGIN offhours /etc/offhours/config.toml
        # Made by `offhours schedule install crontab`, taken out by `offhours schedule remove`. Silent unless
        # somebody has to act; cron mails what is printed.
        */2 * * * * PATH=/usr/local/bin:/usr/bin:/bin /usr/local/bin/offhours --config /etc/offhours/config.toml --state /var/lib/offhours/offhours.db tick
        # END offhours /etc/offhours/config.toml
        ");
        let odd = Plan {
            every: 60,
            path: "/a b:/c".to_owned(),
            config: "/it's/100%.toml".to_owned(),
            ..Plan::usual()
        };
        let block = crontab_block(&odd);
        assert_eq!(path_in(&block).as_deref(), Some("/a b:/c"));
        let strange = Plan { path: "/it's 5%:/x".to_owned(), ..Plan::usual() };
        assert_eq!(path_in(&crontab_block(&strange)).as_deref(), Some("/it's 5%:/x"));
        let line = block.lines().find(|l| l.starts_with("7 ")).unwrap();
        assert_eq!(
            line,
            "7 * * * * PATH='/a b:/c' /usr/local/bin/offhours --config '/it'\\''s/100\\%.toml' --state /var/lib/offhours/offhours.db tick"
        );
    }

    /// Any crontab: installing twice is installing once, and removing leaves every other byte as it was.
    #[test]
    fn installing_is_idempotent_and_removing_leaves_the_rest() {
        let plan = Plan::usual();
        for before in
            ["", "MAILTO=me\n", "# mine\n0 5 * * * backup\n", "0 5 * * * no end of line", "\r\n# dos\r\n"]
        {
            let once = with_block(before, &plan).unwrap();
            assert_eq!(with_block(&once, &plan).unwrap(), once, "{before:?}");
            assert!(once.starts_with(before));
            let gone = without_block(&once, &plan.config).unwrap();
            assert_eq!(gone.trim_end_matches('\n'), before.trim_end_matches('\n'));
            assert_eq!(without_block(&gone, &plan.config).unwrap(), gone);
            let after = format!("{once}# below\n");
            let slower = Plan { every: 15, ..plan.clone() };
            let changed = with_block(&after, &slower).unwrap();
            assert!(changed.ends_with("# END offhours /etc/offhours/config.toml\n# below\n"), "{changed}");
            assert_eq!(changed.matches("*/15 * * * *").count(), 1);
            assert_eq!(changed.matches("*/2 ").count(), 0);
            // Another installation of the same user has a block of its own.
            let other = Plan { config: "/other.toml".to_owned(), ..plan.clone() };
            let both = with_block(&changed, &other).unwrap();
            assert_eq!(both.matches("# BEGIN offhours").count(), 2);
            assert_eq!(without_block(&both, &other.config).unwrap(), changed);
        }
    }

    #[test]
    fn a_damaged_block_is_left_alone() {
        let plan = Plan::usual();
        let block = crontab_block(&plan);
        let (begin, end) = marks(&plan.config);
        for text in [
            format!("{begin}\n* * * * * x\n"),
            format!("{end}\n"),
            format!("{end}\n{begin}\n"),
            format!("{block}{block}"),
            format!("{begin}\n{block}"),
        ] {
            assert_eq!(with_block(&text, &plan), Err(Damaged), "{text}");
            assert_eq!(without_block(&text, &plan.config), Err(Damaged), "{text}");
            assert_eq!(find_block(&text, &plan.config), Err(Damaged), "{text}");
        }
    }

    #[test]
    fn units_escape_what_means_something_there() {
        let plan = Plan { program: "/a b/50%$x".to_owned(), ..Plan::usual() };
        for text in [user_service(&plan), system_service(&plan)] {
            assert!(text.contains("ExecStart=\"/a b/50%%$$x\" --config /etc/offhours/config.toml"), "{text}");
            assert!(text.contains("KillMode=process"), "agents survive the unit's end");
        }
        assert!(timer(&plan, "systemd-user").contains("OnCalendar=*:0/2\n"));
    }

    #[test]
    fn three_missed_ticks_are_silence() {
        for (ago, every, expected) in [
            (None, 2, Firing::Pending),
            (Some(0), 2, Firing::Good { ago: 0 }),
            (Some(660), 2, Firing::Good { ago: 660 }),
            (Some(661), 2, Firing::Silent { ago: 661 }),
            (Some(11_100), 60, Firing::Good { ago: 11_100 }),
            (Some(11_101), 60, Firing::Silent { ago: 11_101 }),
        ] {
            assert_eq!(firing(ago, every), expected);
        }
    }
}
