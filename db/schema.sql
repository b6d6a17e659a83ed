SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;


--
-- Name: EXTENSION pg_trgm; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';


--
-- Name: current_epoch(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.current_epoch() RETURNS uuid
    LANGUAGE sql
    AS $$SELECT epoch FROM database_epoch WHERE identity = (SELECT database_identity())$$;


--
-- Name: database_identity(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.database_identity() RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
  system text := '?';
  timeline text := '?';
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN NULL;
  END IF;
  BEGIN
    system := (SELECT system_identifier FROM pg_control_system());
    timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
  EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_function THEN
    NULL;
  END;
  RETURN system || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || timeline;
END $$;


--
-- Name: ensure_visit_partitions(date, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.ensure_visit_partitions(first_day date, days integer) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
  day date;
  made integer := 0;
  suffix text;
  from_time timestamptz;
  to_time timestamptz;
BEGIN
  -- One maker at a time: workers start together.
  PERFORM pg_advisory_xact_lock(hashtext('hopcount:visit-partitions'));
  FOR i IN 0 .. days - 1 LOOP
    day := first_day + i;
    suffix := to_char(day, 'YYYYMMDD');
    from_time := day::timestamp AT TIME ZONE 'UTC';
    to_time := (day + 1)::timestamp AT TIME ZONE 'UTC';
    IF to_regclass('visits_' || suffix) IS NULL THEN
      PERFORM make_day_partition('visits', 'visited_at', suffix, from_time, to_time, '');
      made := made + 1;
    END IF;
    CONTINUE WHEN day < (now() AT TIME ZONE 'UTC')::date - 1;
    IF to_regclass('link_minutes_' || suffix) IS NULL THEN
      PERFORM make_day_partition('link_minutes', 'minute', suffix, from_time, to_time, 'WITH (fillfactor = 70)');
    END IF;
    IF to_regclass('visitors_' || suffix) IS NULL THEN
      -- Attached, and not made as a partition: that would lock out the workers (CREATE TABLE, PARTITION OF).
      EXECUTE format('CREATE TABLE %I (LIKE visitors INCLUDING CONSTRAINTS)', 'visitors_' || suffix);
      EXECUTE format('ALTER TABLE visitors ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', 'visitors_' || suffix, day, day + 1);
      INSERT INTO visitor_salts (day, salt) VALUES (day, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    END IF;
  END LOOP;
  RETURN made;
END
$$;


--
-- Name: make_day_partition(text, text, text, timestamp with time zone, timestamp with time zone, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.make_day_partition(parent text, key text, suffix text, from_time timestamp with time zone, to_time timestamp with time zone, storage text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
  partition_name text := parent || '_' || suffix;
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) %s', partition_name, parent, storage);
  EXECUTE format(
    'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
    parent || '_default', key, from_time, key, to_time, partition_name);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition_name, from_time, to_time);
END
$$;


--
-- Name: reserve_visits(bigint[], bigint[]); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.reserve_visits(link_ids bigint[], waiting bigint[]) RETURNS TABLE(link_id bigint, places bigint, is_counted_up boolean)
    LANGUAGE plpgsql
    AS $$
DECLARE
  request record;
  used bigint;
  counted bigint;
  allowed bigint;
  remaining bigint;
BEGIN
  FOR request IN
    SELECT asked.id, asked.waiting FROM unnest(link_ids, waiting) AS asked (id, waiting) ORDER BY asked.id
  LOOP
    INSERT INTO link_quotas (link_id, granted) VALUES (request.id, 0) ON CONFLICT DO NOTHING;
    SELECT quota.granted INTO used FROM link_quotas AS quota WHERE quota.link_id = request.id FOR UPDATE;
    SELECT link.max_visits, coalesce(total.visits, 0) INTO allowed, counted
      FROM links AS link LEFT JOIN link_totals AS total ON total.link_id = link.id
      WHERE link.id = request.id;
    link_id := request.id;
    -- The limit was removed.
    IF FOUND AND allowed IS NULL THEN
      places := request.waiting;
      is_counted_up := false;
    ELSE
      remaining := greatest(coalesce(allowed, 0) - greatest(used, counted), 0);
      places := least(remaining, request.waiting + least(256, greatest(remaining - request.waiting, 0) / 16));
      -- False: other processes may have places which they will return.
      is_counted_up := coalesce(counted >= allowed, true);
      IF places > 0 THEN
        UPDATE link_quotas AS quota SET granted = greatest(used, counted) + places WHERE quota.link_id = request.id;
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: audit; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp(3) with time zone DEFAULT now() NOT NULL,
    key_id bigint,
    via text NOT NULL,
    action text NOT NULL,
    link_id bigint,
    subject text NOT NULL,
    changes jsonb DEFAULT '{}'::jsonb NOT NULL
);


--
-- Name: audit_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: breakdown_deltas; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.breakdown_deltas (
    link_id bigint NOT NULL,
    day date NOT NULL,
    breakdowns json NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');


--
-- Name: breakdown_tails; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.breakdown_tails (
    link_id bigint NOT NULL,
    day date NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    visits bigint NOT NULL,
    humans bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02');


--
-- Name: classified_days; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.classified_days (
    day date NOT NULL,
    rules integer NOT NULL,
    visits bigint NOT NULL
)
WITH (fillfactor='50');


--
-- Name: database_epoch; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.database_epoch (
    only_row boolean DEFAULT true NOT NULL,
    epoch uuid DEFAULT gen_random_uuid() NOT NULL,
    identity text NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT database_epoch_only_row_check CHECK (only_row)
);


--
-- Name: domain_rules; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.domain_rules (
    domain text NOT NULL COLLATE pg_catalog."C",
    rule text NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    CONSTRAINT domain_rules_rule_check CHECK ((rule = ANY (ARRAY['block'::text, 'allow'::text])))
);


--
-- Name: freshness; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.freshness (
    only_row boolean DEFAULT true NOT NULL,
    as_of timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    CONSTRAINT freshness_only_row_check CHECK (only_row)
)
WITH (fillfactor='20');


--
-- Name: gone_requests; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.gone_requests (
    link_id bigint NOT NULL,
    day date NOT NULL,
    requests bigint NOT NULL
)
WITH (fillfactor='60', autovacuum_vacuum_scale_factor='0.02');


--
-- Name: idempotency_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency_keys (
    owner bigint NOT NULL,
    hash bytea NOT NULL,
    request_hash bytea NOT NULL,
    response bytea NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL
);


--
-- Name: keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.keys (
    id bigint NOT NULL,
    name text NOT NULL,
    hash bytea NOT NULL,
    hint text NOT NULL,
    scopes text[] NOT NULL,
    requests_per_minute integer,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    created_by bigint,
    expires_at timestamp(3) with time zone,
    revoked_at timestamp(3) with time zone
);


--
-- Name: keys_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.keys ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: ledger; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ledger (
    producer_id uuid NOT NULL,
    seq bigint NOT NULL,
    counted integer NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');


--
-- Name: ledger_watermarks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ledger_watermarks (
    producer_id uuid NOT NULL,
    seq bigint NOT NULL,
    visits bigint NOT NULL
)
WITH (fillfactor='70');


--
-- Name: link_breakdowns; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_breakdowns (
    link_id bigint NOT NULL,
    day date NOT NULL,
    breakdowns json NOT NULL,
    listed smallint
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02');


--
-- Name: link_cache; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_cache (
    only_row boolean DEFAULT true NOT NULL,
    generation bigint DEFAULT 0 NOT NULL,
    CONSTRAINT link_cache_only_row_check CHECK (only_row)
)
WITH (fillfactor='20');


--
-- Name: link_days; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_days (
    link_id bigint NOT NULL,
    day date NOT NULL,
    visits bigint NOT NULL,
    bots bigint NOT NULL,
    previews bigint NOT NULL,
    uniques bigint NOT NULL,
    magnitude smallint GENERATED ALWAYS AS ((
CASE
    WHEN (visits < 64) THEN ((4)::double precision * floor(((ln((GREATEST(visits, (1)::bigint))::double precision) / ln((2)::double precision)) + (0.000000001)::double precision)))
    ELSE floor(((((4)::double precision * ln((visits)::double precision)) / ln((2)::double precision)) + (0.000000001)::double precision))
END)::smallint) STORED
)
WITH (fillfactor='60', autovacuum_vacuum_scale_factor='0.02');


--
-- Name: link_minutes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_minutes (
    link_id bigint NOT NULL,
    minute timestamp(0) with time zone NOT NULL,
    visits bigint NOT NULL,
    bots bigint NOT NULL,
    previews bigint NOT NULL
)
PARTITION BY RANGE (minute);


--
-- Name: link_minutes_default; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_minutes_default (
    link_id bigint NOT NULL,
    minute timestamp(0) with time zone NOT NULL,
    visits bigint NOT NULL,
    bots bigint NOT NULL,
    previews bigint NOT NULL
)
WITH (fillfactor='70');


--
-- Name: link_quarters; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_quarters (
    link_id bigint NOT NULL,
    quarter timestamp(0) with time zone NOT NULL,
    visits bigint NOT NULL,
    bots bigint DEFAULT 0 NOT NULL,
    previews bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.02');


--
-- Name: link_quotas; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_quotas (
    link_id bigint NOT NULL,
    granted bigint NOT NULL
)
WITH (fillfactor='50');


--
-- Name: link_search; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_search (
    link_id bigint NOT NULL,
    text text NOT NULL
);


--
-- Name: link_search_blocks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_search_blocks (
    block bigint NOT NULL,
    ids bigint[] NOT NULL,
    text text NOT NULL COLLATE pg_catalog."C",
    grams smallint[] NOT NULL
)
WITH (toast_tuple_target='4080');
ALTER TABLE ONLY public.link_search_blocks ALTER COLUMN ids SET STATISTICS 0;
ALTER TABLE ONLY public.link_search_blocks ALTER COLUMN text SET STORAGE MAIN;
ALTER TABLE ONLY public.link_search_blocks ALTER COLUMN grams SET STATISTICS 0;
ALTER TABLE ONLY public.link_search_blocks ALTER COLUMN grams SET STORAGE EXTERNAL;


--
-- Name: link_search_changed; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_search_changed (
    link_id bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='1000');


--
-- Name: link_search_progress; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_search_progress (
    only_row boolean DEFAULT true NOT NULL,
    link_id bigint DEFAULT 0 NOT NULL,
    CONSTRAINT link_search_progress_only_row_check CHECK (only_row)
)
WITH (fillfactor='20');


--
-- Name: link_search_state; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_search_state (
    only_row boolean DEFAULT true NOT NULL,
    block bigint DEFAULT 0 NOT NULL,
    links bigint DEFAULT 0 NOT NULL,
    CONSTRAINT link_search_state_only_row_check CHECK (only_row)
)
WITH (fillfactor='20');


--
-- Name: link_totals; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_totals (
    link_id bigint NOT NULL,
    visits bigint NOT NULL,
    magnitude smallint GENERATED ALWAYS AS ((
CASE
    WHEN (visits < 64) THEN ((4)::double precision * floor(((ln((GREATEST(visits, (1)::bigint))::double precision) / ln((2)::double precision)) + (0.000000001)::double precision)))
    ELSE floor(((((4)::double precision * ln((visits)::double precision)) / ln((2)::double precision)) + (0.000000001)::double precision))
END)::smallint) STORED,
    first_visit timestamp(3) with time zone NOT NULL,
    last_visit timestamp(3) with time zone NOT NULL,
    bots bigint DEFAULT 0 NOT NULL,
    previews bigint DEFAULT 0 NOT NULL,
    uniques bigint DEFAULT 0 NOT NULL,
    misdated bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='60', autovacuum_vacuum_scale_factor='0.02');


--
-- Name: links; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.links (
    id bigint NOT NULL,
    slug text NOT NULL COLLATE pg_catalog."C",
    long_url text NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    expires_at timestamp(3) with time zone,
    reuse_key bytea,
    title text,
    note text,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    valid_from timestamp(3) with time zone,
    expired_url text,
    max_visits bigint,
    forward_query boolean DEFAULT false NOT NULL,
    disabled_at timestamp(3) with time zone,
    deleted_at timestamp(3) with time zone,
    updated_at timestamp(3) with time zone,
    version bigint DEFAULT 1 NOT NULL,
    created_by bigint,
    tag_keys text[] DEFAULT '{}'::text[] NOT NULL
);


--
-- Name: links_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.links ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.links_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: orphan_visits; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.orphan_visits (
    day date NOT NULL,
    slug text NOT NULL COLLATE pg_catalog."C",
    requests bigint NOT NULL
)
WITH (fillfactor='70');


--
-- Name: producers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.producers (
    producer_id uuid NOT NULL,
    host text NOT NULL,
    spool_id uuid,
    recorded_until timestamp with time zone NOT NULL,
    pending bigint NOT NULL,
    last_seq bigint NOT NULL,
    reported_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');


--
-- Name: queue_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.queue_keys (
    fingerprint text NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    replaced_at timestamp(3) with time zone
);


--
-- Name: retention; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.retention (
    only_row boolean DEFAULT true NOT NULL,
    raw_visits_from date DEFAULT '-infinity'::date NOT NULL,
    quarters_from date DEFAULT '-infinity'::date NOT NULL,
    CONSTRAINT retention_only_row_check CHECK (only_row)
);


--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);


--
-- Name: sessions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sessions (
    hash bytea NOT NULL,
    key_id bigint NOT NULL,
    created_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    expires_at timestamp(3) with time zone NOT NULL
);


--
-- Name: set_aside_batches; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.set_aside_batches (
    producer_id uuid NOT NULL,
    seq bigint NOT NULL,
    set_aside_at timestamp(3) with time zone DEFAULT now() NOT NULL,
    reason text NOT NULL,
    visits integer
);


--
-- Name: texts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.texts (
    id integer NOT NULL,
    text text NOT NULL COLLATE pg_catalog."C",
    used_on date DEFAULT CURRENT_DATE NOT NULL
);


--
-- Name: texts_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.texts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.texts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: visitor_salts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.visitor_salts (
    day date NOT NULL,
    salt bytea NOT NULL
);


--
-- Name: visitors; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.visitors (
    link_id bigint NOT NULL,
    day date NOT NULL,
    visitor bigint NOT NULL
)
PARTITION BY RANGE (day);


--
-- Name: visits; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.visits (
    link_id bigint NOT NULL,
    visited_at timestamp(3) with time zone NOT NULL,
    referrer_id integer,
    user_agent_id integer,
    referrer text,
    user_agent text,
    country smallint,
    language smallint
)
PARTITION BY RANGE (visited_at);


--
-- Name: visits_default; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.visits_default (
    link_id bigint NOT NULL,
    visited_at timestamp(3) with time zone NOT NULL,
    referrer_id integer,
    user_agent_id integer,
    referrer text,
    user_agent text,
    country smallint,
    language smallint
);


--
-- Name: link_minutes_default; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_minutes ATTACH PARTITION public.link_minutes_default DEFAULT;


--
-- Name: visits_default; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.visits ATTACH PARTITION public.visits_default DEFAULT;


--
-- Name: audit audit_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);


--
-- Name: breakdown_tails breakdown_tails_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.breakdown_tails
    ADD CONSTRAINT breakdown_tails_pkey PRIMARY KEY (link_id, day, key);


--
-- Name: classified_days classified_days_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.classified_days
    ADD CONSTRAINT classified_days_pkey PRIMARY KEY (day, rules);


--
-- Name: database_epoch database_epoch_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.database_epoch
    ADD CONSTRAINT database_epoch_pkey PRIMARY KEY (only_row);


--
-- Name: domain_rules domain_rules_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.domain_rules
    ADD CONSTRAINT domain_rules_pkey PRIMARY KEY (domain);


--
-- Name: freshness freshness_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.freshness
    ADD CONSTRAINT freshness_pkey PRIMARY KEY (only_row);


--
-- Name: gone_requests gone_requests_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.gone_requests
    ADD CONSTRAINT gone_requests_pkey PRIMARY KEY (link_id, day);


--
-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (owner, hash);


--
-- Name: keys keys_hash_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.keys
    ADD CONSTRAINT keys_hash_key UNIQUE (hash);


--
-- Name: keys keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.keys
    ADD CONSTRAINT keys_pkey PRIMARY KEY (id);


--
-- Name: ledger ledger_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (producer_id, seq);


--
-- Name: ledger_watermarks ledger_watermarks_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ledger_watermarks
    ADD CONSTRAINT ledger_watermarks_pkey PRIMARY KEY (producer_id);


--
-- Name: link_breakdowns link_breakdowns_listed_check; Type: CHECK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE public.link_breakdowns
    ADD CONSTRAINT link_breakdowns_listed_check CHECK ((listed IS NOT NULL)) NOT VALID;


--
-- Name: link_breakdowns link_breakdowns_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_breakdowns
    ADD CONSTRAINT link_breakdowns_pkey PRIMARY KEY (link_id, day);


--
-- Name: link_cache link_cache_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_cache
    ADD CONSTRAINT link_cache_pkey PRIMARY KEY (only_row);


--
-- Name: link_days link_days_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_days
    ADD CONSTRAINT link_days_pkey PRIMARY KEY (link_id, day);


--
-- Name: link_minutes link_minutes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_minutes
    ADD CONSTRAINT link_minutes_pkey PRIMARY KEY (link_id, minute);


--
-- Name: link_minutes_default link_minutes_default_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_minutes_default
    ADD CONSTRAINT link_minutes_default_pkey PRIMARY KEY (link_id, minute);


--
-- Name: link_quarters link_quarters_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_quarters
    ADD CONSTRAINT link_quarters_pkey PRIMARY KEY (link_id, quarter);


--
-- Name: link_quotas link_quotas_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_quotas
    ADD CONSTRAINT link_quotas_pkey PRIMARY KEY (link_id);


--
-- Name: link_search_blocks link_search_blocks_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_search_blocks
    ADD CONSTRAINT link_search_blocks_pkey PRIMARY KEY (block);


--
-- Name: link_search_changed link_search_changed_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_search_changed
    ADD CONSTRAINT link_search_changed_pkey PRIMARY KEY (link_id);


--
-- Name: link_search link_search_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_search
    ADD CONSTRAINT link_search_pkey PRIMARY KEY (link_id);


--
-- Name: link_search_progress link_search_progress_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_search_progress
    ADD CONSTRAINT link_search_progress_pkey PRIMARY KEY (only_row);


--
-- Name: link_search_state link_search_state_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_search_state
    ADD CONSTRAINT link_search_state_pkey PRIMARY KEY (only_row);


--
-- Name: link_totals link_totals_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_totals
    ADD CONSTRAINT link_totals_pkey PRIMARY KEY (link_id);


--
-- Name: links links_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.links
    ADD CONSTRAINT links_pkey PRIMARY KEY (id);


--
-- Name: links links_reuse_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.links
    ADD CONSTRAINT links_reuse_key_key UNIQUE (reuse_key);


--
-- Name: links links_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.links
    ADD CONSTRAINT links_slug_key UNIQUE (slug);


--
-- Name: orphan_visits orphan_visits_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.orphan_visits
    ADD CONSTRAINT orphan_visits_pkey PRIMARY KEY (day, slug);


--
-- Name: producers producers_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.producers
    ADD CONSTRAINT producers_pkey PRIMARY KEY (producer_id);


--
-- Name: queue_keys queue_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.queue_keys
    ADD CONSTRAINT queue_keys_pkey PRIMARY KEY (fingerprint);


--
-- Name: retention retention_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.retention
    ADD CONSTRAINT retention_pkey PRIMARY KEY (only_row);


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);


--
-- Name: sessions sessions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (hash);


--
-- Name: set_aside_batches set_aside_batches_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.set_aside_batches
    ADD CONSTRAINT set_aside_batches_pkey PRIMARY KEY (producer_id, seq);


--
-- Name: texts texts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.texts
    ADD CONSTRAINT texts_pkey PRIMARY KEY (id);


--
-- Name: texts texts_text_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.texts
    ADD CONSTRAINT texts_text_key UNIQUE (text);


--
-- Name: visitor_salts visitor_salts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.visitor_salts
    ADD CONSTRAINT visitor_salts_pkey PRIMARY KEY (day);


--
-- Name: visitors visitors_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.visitors
    ADD CONSTRAINT visitors_pkey PRIMARY KEY (link_id, day, visitor);


--
-- Name: audit_actions; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_actions ON public.audit USING btree (action, id);


--
-- Name: audit_keys; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_keys ON public.audit USING btree (key_id, id) WHERE (key_id IS NOT NULL);


--
-- Name: audit_links; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_links ON public.audit USING btree (link_id, id) WHERE (link_id IS NOT NULL);


--
-- Name: breakdown_deltas_link_id_day_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX breakdown_deltas_link_id_day_idx ON public.breakdown_deltas USING btree (link_id, day);


--
-- Name: breakdown_tails_day_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX breakdown_tails_day_idx ON public.breakdown_tails USING btree (day);


--
-- Name: idempotency_keys_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);


--
-- Name: link_days_day_magnitude_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX link_days_day_magnitude_idx ON public.link_days USING btree (day, magnitude);


--
-- Name: link_quarters_quarter_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX link_quarters_quarter_idx ON public.link_quarters USING brin (quarter) WITH (pages_per_range='16');


--
-- Name: link_search_grams; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX link_search_grams ON public.link_search_blocks USING gin (grams) WITH (gin_pending_list_limit='1024');


--
-- Name: link_search_text; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX link_search_text ON public.link_search USING gin (text public.gin_trgm_ops) WITH (gin_pending_list_limit='1024');


--
-- Name: link_totals_magnitude_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX link_totals_magnitude_idx ON public.link_totals USING btree (magnitude);


--
-- Name: links_closed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX links_closed ON public.links USING btree (id) WHERE ((disabled_at IS NOT NULL) OR (deleted_at IS NOT NULL));


--
-- Name: links_deleted; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX links_deleted ON public.links USING btree (id) WHERE (deleted_at IS NOT NULL);


--
-- Name: links_limited; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX links_limited ON public.links USING btree (id) WHERE ((valid_from IS NOT NULL) OR (expires_at IS NOT NULL) OR (max_visits IS NOT NULL));


--
-- Name: links_long_url_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX links_long_url_idx ON public.links USING hash (long_url);


--
-- Name: links_tags; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX links_tags ON public.links USING gin (tag_keys) WHERE (tag_keys <> '{}'::text[]);


--
-- Name: queue_keys_only_one_current_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX queue_keys_only_one_current_idx ON public.queue_keys USING btree ((true)) WHERE (replaced_at IS NULL);


--
-- Name: sessions_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sessions_expiry ON public.sessions USING btree (expires_at);


--
-- Name: visits_link_id_minute_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX visits_link_id_minute_idx ON ONLY public.visits USING btree (link_id, date_bin('00:01:00'::interval, visited_at, '1970-01-01 00:00:00+00'::timestamp with time zone));


--
-- Name: visits_default_link_id_date_bin_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX visits_default_link_id_date_bin_idx ON public.visits_default USING btree (link_id, date_bin('00:01:00'::interval, visited_at, '1970-01-01 00:00:00+00'::timestamp with time zone));


--
-- Name: visits_visited_at_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX visits_visited_at_idx ON ONLY public.visits USING brin (visited_at) WITH (pages_per_range='16', autosummarize='on');


--
-- Name: visits_default_visited_at_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX visits_default_visited_at_idx ON public.visits_default USING brin (visited_at) WITH (pages_per_range='16', autosummarize='on');


--
-- Name: link_minutes_default_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.link_minutes_pkey ATTACH PARTITION public.link_minutes_default_pkey;


--
-- Name: visits_default_link_id_date_bin_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.visits_link_id_minute_idx ATTACH PARTITION public.visits_default_link_id_date_bin_idx;


--
-- Name: visits_default_visited_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.visits_visited_at_idx ATTACH PARTITION public.visits_default_visited_at_idx;


--
-- PostgreSQL database dump complete
--



--
-- Dbmate schema migrations
--

INSERT INTO public.schema_migrations (version) VALUES
    ('20261122000001'),
    ('20261122000002'),
    ('20261122000003'),
    ('20261122000004'),
    ('20261126000001'),
    ('20261126000002'),
    ('20261126000003'),
    ('20261126000004'),
    ('20261126000005'),
    ('20261126000006'),
    ('20261126000007'),
    ('20261126000008'),
    ('20261126000009'),
    ('20261126000010'),
    ('20261126000011'),
    ('20261126000012'),
    ('20261126000013'),
    ('20261126000014'),
    ('20261126000015'),
    ('20261126000016'),
    ('20261126000031'),
    ('20261126000032'),
    ('20261126000033'),
    ('20261126000034'),
    ('20261126000061'),
    ('20261127000010'),
    ('20261127000011'),
    ('20261127000012'),
    ('20261127000013');
