//! Numbered, never edited, applied one by one. Each has sample data in its test.

/// What each step does to the one before. The number of a step is its place, from 1.
pub(super) const MIGRATIONS: [&str; 9] =
    [FIRST, LESSONS, TEMPLATES, PULL_REQUESTS, UPGRADES, SERVERS, HARVEST, ANSWERS, KEPT];

const FIRST: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  repo TEXT NOT NULL, number INTEGER NOT NULL,
  asked_by TEXT NOT NULL, approval TEXT NOT NULL,
  title TEXT NOT NULL, body TEXT NOT NULL, comments TEXT NOT NULL,
  runner TEXT NOT NULL, account TEXT NOT NULL, template TEXT NOT NULL,
  budget_usd REAL NOT NULL,
  attempt INTEGER NOT NULL, phase TEXT NOT NULL, outcome TEXT,
  landing TEXT NOT NULL, target_branch TEXT NOT NULL, base TEXT NOT NULL,
  turns INTEGER NOT NULL, turn_kind TEXT NOT NULL, turn_head TEXT NOT NULL,
  fix_forward INTEGER NOT NULL, verifies INTEGER NOT NULL,
  conflict_tries INTEGER NOT NULL, reruns INTEGER NOT NULL,
  pushed TEXT, last_fix TEXT, conflict TEXT, push_refused TEXT,
  ci_stage INTEGER NOT NULL, ci_seconds INTEGER NOT NULL,
  fix_seconds INTEGER NOT NULL, turn_seconds INTEGER NOT NULL,
  last_seen INTEGER NOT NULL, wait TEXT,
  created_at INTEGER NOT NULL, ended_at INTEGER,
  claim TEXT, comment_id TEXT, end_comment_id TEXT,
  salvage TEXT, stop_asked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_by_issue ON runs (repo, number, created_at);
CREATE INDEX runs_in_flight ON runs (phase) WHERE phase <> 'ended';
CREATE INDEX runs_by_time ON runs (created_at);

CREATE TABLE turns (
  run TEXT NOT NULL REFERENCES runs (id), turn INTEGER NOT NULL,
  kind TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER,
  ending TEXT, detail TEXT, cost_usd REAL, input_tokens INTEGER, output_tokens INTEGER,
  session TEXT, summary TEXT,
  PRIMARY KEY (run, turn)
) STRICT;

CREATE TABLE intents (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL REFERENCES runs (id),
  key TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'refused', 'cancelled')),
  tries INTEGER NOT NULL DEFAULT 0, outcome TEXT,
  created_at INTEGER NOT NULL, done_at INTEGER,
  UNIQUE (run, key)
) STRICT;
CREATE INDEX intents_pending ON intents (run, id) WHERE state = 'pending';

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL, notifier TEXT NOT NULL, kind TEXT NOT NULL,
  title TEXT NOT NULL, body TEXT NOT NULL, link TEXT,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'given-up')),
  tries INTEGER NOT NULL DEFAULT 0, begun INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL, done_at INTEGER,
  UNIQUE (key, notifier)
) STRICT;
CREATE INDEX outbox_pending ON outbox (id) WHERE state = 'pending';

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, kind TEXT NOT NULL,
  repo TEXT, number INTEGER, run TEXT, data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_run ON events (run, id);

CREATE TABLE ledger (
  id INTEGER PRIMARY KEY,
  repo TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
  reason TEXT NOT NULL, sentence TEXT NOT NULL, passed TEXT NOT NULL
) STRICT;
CREATE INDEX ledger_by_issue ON ledger (repo, number, id);

CREATE TABLE forge_cache (
  repo TEXT PRIMARY KEY, url TEXT NOT NULL, identity TEXT NOT NULL,
  etag TEXT, fetched_at INTEGER NOT NULL
) STRICT;

CREATE TABLE issues (
  repo TEXT NOT NULL, number INTEGER NOT NULL,
  title TEXT NOT NULL, body TEXT NOT NULL, open INTEGER NOT NULL, labels TEXT NOT NULL,
  author TEXT, author_bot INTEGER NOT NULL DEFAULT 0, updated_at INTEGER NOT NULL,
  priority INTEGER, text_hash TEXT NOT NULL,
  PRIMARY KEY (repo, number)
) STRICT;

CREATE TABLE approvals (
  repo TEXT NOT NULL, number INTEGER NOT NULL,
  event_id TEXT NOT NULL, text_hash TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (repo, number)
) STRICT;

CREATE TABLE holds (
  repo TEXT NOT NULL, kind TEXT NOT NULL, oid TEXT, run TEXT, since INTEGER NOT NULL,
  PRIMARY KEY (repo, kind)
) STRICT;

CREATE TABLE parks (
  account TEXT PRIMARY KEY, kind TEXT NOT NULL, detail TEXT NOT NULL,
  since INTEGER NOT NULL, until INTEGER
) STRICT;

CREATE TABLE start_failures (
  account TEXT PRIMARY KEY, detail TEXT NOT NULL, count INTEGER NOT NULL
) STRICT;

CREATE TABLE pauses (scope TEXT PRIMARY KEY, since INTEGER NOT NULL, until INTEGER) STRICT;

CREATE TABLE backoffs (
  repo TEXT NOT NULL, number INTEGER NOT NULL, failures INTEGER NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (repo, number)
) STRICT;

CREATE TABLE alarms (
  cause TEXT PRIMARY KEY, since INTEGER NOT NULL, detail TEXT NOT NULL, raised INTEGER NOT NULL
) STRICT;

CREATE TABLE outages (
  subject TEXT PRIMARY KEY, since INTEGER NOT NULL, times INTEGER NOT NULL, last_said INTEGER NOT NULL
) STRICT;

CREATE TABLE ticks (
  command TEXT PRIMARY KEY, started_at INTEGER NOT NULL, ended_at INTEGER, outcome TEXT,
  lock_misses INTEGER NOT NULL DEFAULT 0
) STRICT;
";

/// The journal. It reads events from its own beginning on: what happened before was nobody's lesson. May be applied again
/// over itself, and over what is left of it.
const LESSONS: &str = "
CREATE TABLE IF NOT EXISTS lessons (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  created_at INTEGER NOT NULL, updated_at INTEGER,
  lesson_type TEXT NOT NULL,
  work_item_id TEXT, task_id TEXT, turn INTEGER, stage TEXT, agent TEXT, repo TEXT,
  root_cause TEXT, suggestion TEXT, detail TEXT,
  status TEXT NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'in_progress', 'closed')),
  related_task TEXT,
  source TEXT NOT NULL CHECK (source IN ('auto', 'manual')),
  attribution TEXT CHECK (attribution IN ('platform', 'project', 'both')),
  target_repo TEXT, target_domain TEXT,
  occurrences INTEGER NOT NULL DEFAULT 1, last_seen_at INTEGER NOT NULL,
  approved_at INTEGER, expires_at INTEGER,
  untrusted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS lessons_by_time ON lessons (created_at);
CREATE INDEX IF NOT EXISTS lessons_by_type ON lessons (lesson_type, created_at);
CREATE INDEX IF NOT EXISTS lessons_by_status ON lessons (status, created_at);
CREATE INDEX IF NOT EXISTS lessons_by_repo ON lessons (repo, created_at);
CREATE INDEX IF NOT EXISTS lessons_by_work_item ON lessons (work_item_id, created_at);
CREATE INDEX IF NOT EXISTS lessons_counted ON lessons (lesson_type, status);
CREATE INDEX IF NOT EXISTS lessons_alike ON lessons (lesson_type, repo, work_item_id, stage, created_at)
  WHERE source = 'auto';
CREATE INDEX IF NOT EXISTS lessons_to_give
  ON lessons (COALESCE(target_repo, repo), occurrences DESC, last_seen_at DESC, id DESC)
  WHERE status <> 'closed' AND expires_at IS NULL AND (untrusted = 0 OR approved_at IS NOT NULL);
CREATE INDEX IF NOT EXISTS lessons_to_expire ON lessons (MAX(last_seen_at, COALESCE(approved_at, 0)))
  WHERE status <> 'closed' AND expires_at IS NULL;

CREATE VIRTUAL TABLE IF NOT EXISTS lessons_text USING fts5 (
  lesson_type, repo, work_item_id, root_cause, suggestion, detail, content = 'lessons', content_rowid = 'id'
);
CREATE TRIGGER IF NOT EXISTS lessons_text_new AFTER INSERT ON lessons BEGIN
  INSERT INTO lessons_text (rowid, lesson_type, repo, work_item_id, root_cause, suggestion, detail)
  VALUES (new.id, new.lesson_type, new.repo, new.work_item_id, new.root_cause, new.suggestion, new.detail);
END;
CREATE TRIGGER IF NOT EXISTS lessons_text_gone AFTER DELETE ON lessons BEGIN
  INSERT INTO lessons_text (lessons_text, rowid, lesson_type, repo, work_item_id, root_cause, suggestion, detail)
  VALUES ('delete', old.id, old.lesson_type, old.repo, old.work_item_id, old.root_cause, old.suggestion, old.detail);
END;
CREATE TRIGGER IF NOT EXISTS lessons_text_changed
AFTER UPDATE OF lesson_type, repo, work_item_id, root_cause, suggestion, detail ON lessons BEGIN
  INSERT INTO lessons_text (lessons_text, rowid, lesson_type, repo, work_item_id, root_cause, suggestion, detail)
  VALUES ('delete', old.id, old.lesson_type, old.repo, old.work_item_id, old.root_cause, old.suggestion, old.detail);
  INSERT INTO lessons_text (rowid, lesson_type, repo, work_item_id, root_cause, suggestion, detail)
  VALUES (new.id, new.lesson_type, new.repo, new.work_item_id, new.root_cause, new.suggestion, new.detail);
END;
INSERT INTO lessons_text (lessons_text) VALUES ('rebuild');

CREATE TABLE IF NOT EXISTS given (run TEXT PRIMARY KEY, repo TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS given_by_repo ON given (repo, at);
CREATE TABLE IF NOT EXISTS given_lessons (
  run TEXT NOT NULL, place INTEGER NOT NULL, lesson INTEGER NOT NULL, PRIMARY KEY (run, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS given_by_lesson ON given_lessons (lesson, run);

INSERT OR IGNORE INTO meta (key, value) SELECT 'lessons_cursor', CAST(COALESCE(MAX(id), 0) AS TEXT) FROM events;
CREATE TRIGGER IF NOT EXISTS events_wait_for_lessons BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'lessons_off')
  AND old.id > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'lessons_cursor')
BEGIN
  SELECT RAISE(IGNORE);
END;
";

/// Every text that agents were told by is kept, and each run knows its own.
const TEMPLATES: &str = "
CREATE TABLE templates (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL, version INTEGER NOT NULL, hash TEXT NOT NULL, body TEXT NOT NULL,
  origin TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('candidate', 'canary', 'champion', 'retired', 'rejected')),
  created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
  UNIQUE (name, version), UNIQUE (name, hash)
) STRICT;
CREATE UNIQUE INDEX templates_one_champion ON templates (name) WHERE state = 'champion';
CREATE UNIQUE INDEX templates_one_canary ON templates (name) WHERE state = 'canary';
CREATE TRIGGER templates_are_immutable BEFORE UPDATE OF id, name, version, hash, body ON templates
  BEGIN SELECT RAISE(ABORT, 'a template version never changes'); END;

CREATE TABLE routes (
  run TEXT PRIMARY KEY REFERENCES runs (id),
  template INTEGER NOT NULL REFERENCES templates (id),
  arm TEXT CHECK (arm IN ('champion', 'canary')), canary TEXT, fraction REAL
) STRICT;
";

/// A run may land by a pull request, wait for its review without the repo's slot, and continue earlier work.
const PULL_REQUESTS: &str = "
ALTER TABLE runs ADD COLUMN branch TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN up_to TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN merge_refused TEXT;
ALTER TABLE runs ADD COLUMN pull INTEGER;
ALTER TABLE runs ADD COLUMN pull_head TEXT;
ALTER TABLE runs ADD COLUMN holds_slot INTEGER NOT NULL DEFAULT 1;
ALTER TABLE runs ADD COLUMN reviewing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN round INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN review_turns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN reviews_done TEXT NOT NULL DEFAULT '[]';
ALTER TABLE runs ADD COLUMN asked TEXT;
ALTER TABLE runs ADD COLUMN review_seconds INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET branch = 'offhours/issue-' || number || '-' || id, up_to = base;
";

/// Batches of upgrades. `upgrade_commits` has what an intent was about to push; `upgrade_notes` small facts by key.
const UPGRADES: &str = "
CREATE TABLE upgrade_batches (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL CHECK (state IN ('active', 'done', 'stopped', 'aborted')),
  with_tests INTEGER NOT NULL, scheduled INTEGER NOT NULL,
  started_at INTEGER NOT NULL, progress_at INTEGER NOT NULL, backoff_until INTEGER, ended_at INTEGER,
  halted TEXT, summary TEXT, summary_json TEXT, leftovers TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE UNIQUE INDEX upgrade_batch_active ON upgrade_batches (state) WHERE state = 'active';

CREATE TABLE upgrade_recipes (
  batch INTEGER NOT NULL REFERENCES upgrade_batches (id), name TEXT NOT NULL,
  position INTEGER NOT NULL, step TEXT NOT NULL, ending TEXT, data TEXT NOT NULL,
  PRIMARY KEY (batch, name)
) STRICT;

CREATE TABLE upgrade_intents (
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL REFERENCES upgrade_batches (id), recipe TEXT NOT NULL,
  key TEXT NOT NULL, payload TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'refused', 'cancelled')),
  tries INTEGER NOT NULL DEFAULT 0, outcome TEXT,
  created_at INTEGER NOT NULL, done_at INTEGER,
  UNIQUE (batch, recipe, key)
) STRICT;

CREATE TABLE upgrade_pulls (
  repo TEXT NOT NULL, number INTEGER NOT NULL,
  recipe TEXT NOT NULL, version TEXT NOT NULL, branch TEXT NOT NULL, head TEXT NOT NULL,
  bumps TEXT NOT NULL, tests INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'refused', 'merged')), batch INTEGER NOT NULL,
  PRIMARY KEY (repo, number)
) STRICT;

CREATE TABLE upgrade_commits (repo TEXT NOT NULL, oid TEXT NOT NULL, PRIMARY KEY (repo, oid)) STRICT;

CREATE TABLE upgrade_tags (
  image TEXT NOT NULL, tag TEXT NOT NULL, first_seen INTEGER NOT NULL, PRIMARY KEY (image, tag)
) STRICT;

CREATE TABLE upgrade_turns (
  batch INTEGER NOT NULL REFERENCES upgrade_batches (id), recipe TEXT NOT NULL, turn INTEGER NOT NULL,
  started_at INTEGER NOT NULL, budget_usd REAL NOT NULL, ended_at INTEGER, cost_usd REAL,
  PRIMARY KEY (batch, recipe, turn)
) STRICT;

CREATE TABLE upgrade_notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
";

pub(super) const SERVERS: &str = "
CREATE TABLE server_limits (
  server TEXT PRIMARY KEY, until INTEGER NOT NULL, why TEXT NOT NULL, times INTEGER NOT NULL
) STRICT;

CREATE TABLE repo_identities (repo TEXT PRIMARY KEY, identity TEXT NOT NULL) STRICT;
";

/// What becomes of runs, which version they speak for, and the canaries that it decides.
const HARVEST: &str = "
CREATE TABLE canaries (
  id TEXT PRIMARY KEY, name TEXT NOT NULL,
  template INTEGER NOT NULL REFERENCES templates (id), champion INTEGER NOT NULL REFERENCES templates (id),
  fraction REAL NOT NULL, min_canary INTEGER NOT NULL, max_canary INTEGER NOT NULL,
  margin REAL NOT NULL, alpha_rollback REAL NOT NULL, alpha_graduate REAL NOT NULL,
  history_sum REAL NOT NULL, history_count REAL NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER,
  verdict TEXT CHECK (verdict IN ('graduated', 'rolled_back', 'inconclusive')), detail TEXT
) STRICT;
CREATE UNIQUE INDEX canaries_one_alive ON canaries (name) WHERE verdict IS NULL;

CREATE TABLE outcomes (
  run TEXT NOT NULL REFERENCES runs (id), source TEXT NOT NULL,
  template INTEGER NOT NULL REFERENCES templates (id), canary TEXT REFERENCES canaries (id),
  arm TEXT CHECK (arm IN ('champion', 'canary')),
  subject TEXT NOT NULL, dispatched_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'resolved', 'excluded', 'late')),
  score REAL, why TEXT NOT NULL,
  first_seen_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, look_at INTEGER,
  UNIQUE (run, source)
) STRICT;
CREATE INDEX outcomes_pending ON outcomes (look_at) WHERE state = 'pending';
CREATE INDEX outcomes_by_canary ON outcomes (canary, subject) WHERE canary IS NOT NULL;
CREATE INDEX outcomes_by_template ON outcomes (template);

CREATE TABLE landed_commits (
  repo TEXT NOT NULL, name TEXT NOT NULL, run TEXT NOT NULL REFERENCES runs (id),
  PRIMARY KEY (repo, name)
) STRICT;
CREATE INDEX landed_commits_by_run ON landed_commits (run);

CREATE TABLE taken_back (repo TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (repo, name)) STRICT;

CREATE TABLE read_branches (
  repo TEXT NOT NULL, branch TEXT NOT NULL, oid TEXT NOT NULL, look_at INTEGER NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (repo, branch)
) STRICT;
CREATE INDEX events_reverted ON events (run) WHERE kind = 'reverted';
";

/// What was said on issues that somebody trusted labelled and that do not start.
const ANSWERS: &str = "
CREATE TABLE answers (
  repo TEXT NOT NULL, number INTEGER NOT NULL,
  comment TEXT, text TEXT NOT NULL, tries INTEGER NOT NULL, not_before INTEGER NOT NULL,
  PRIMARY KEY (repo, number)
) STRICT;
";

/// What is kept ages by days on which ticks were seen: by the clock alone nothing is deleted.
const KEPT: &str = "
CREATE TABLE tick_days (day INTEGER PRIMARY KEY) STRICT;

CREATE TABLE kept (
  path TEXT PRIMARY KEY, written INTEGER NOT NULL, since INTEGER NOT NULL, seen INTEGER NOT NULL
) STRICT;
";
