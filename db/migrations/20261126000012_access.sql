-- migrate:up

-- Keys of the API. Revoked ones stay: the audit names them.
CREATE TABLE keys (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  -- SHA-256 of the key, which is shown once and stored nowhere.
  hash bytea NOT NULL UNIQUE,
  -- Its first characters, by which people recognize it.
  hint text NOT NULL,
  scopes text[] NOT NULL,
  -- NULL: the limits of an address.
  requests_per_minute integer,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  created_by bigint,
  expires_at timestamptz(3),
  revoked_at timestamptz(3)
);

-- Sign-ins to the page. A session allows what its key does, and ends with it.
CREATE TABLE sessions (
  -- SHA-256 of the cookie's value.
  hash bytea PRIMARY KEY,
  key_id bigint NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Responses to creating requests with an Idempotency-Key, kept for 24 h.
CREATE TABLE idempotency_keys (
  -- The key that sent it; 0: none.
  owner bigint NOT NULL,
  -- SHA-256 of the Idempotency-Key.
  hash bytea NOT NULL,
  -- SHA-256 of method, path and body.
  request_hash bytea NOT NULL,
  -- Encrypted with a key derived from the Idempotency-Key: it may contain a new API key.
  response bytea NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (owner, hash)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Domains that links may not lead to, with their subdomains; or, as soon as one is allowed, the only ones they may.
CREATE TABLE domain_rules (
  domain text COLLATE pg_catalog."C" PRIMARY KEY,
  rule text NOT NULL CHECK (rule IN ('block', 'allow')),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

-- migrate:down

DROP TABLE domain_rules;
DROP TABLE idempotency_keys;
DROP TABLE sessions;
DROP TABLE keys;
