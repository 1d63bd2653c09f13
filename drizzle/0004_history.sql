CREATE TABLE "frame_proof" (
	"gateway_no" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"lane" text NOT NULL,
	"seg" bigint NOT NULL,
	"first" bigint NOT NULL,
	"last" bigint NOT NULL,
	"frames" integer NOT NULL,
	"covered" bigint NOT NULL,
	"samples" bigint NOT NULL,
	"body" "bytea" NOT NULL,
	CONSTRAINT "frame_proof_gateway_no_epoch_lane_seg_first_pk" PRIMARY KEY("gateway_no","epoch","lane","seg","first")
);
--> statement-breakpoint
CREATE TABLE "history" (
	"tag_no" bigint NOT NULL,
	"t_min" double precision NOT NULL,
	"t_max" double precision NOT NULL,
	"v_min" double precision,
	"v_max" double precision,
	"v_sum" double precision,
	"v_first" double precision,
	"v_last" double precision,
	"day_no" integer NOT NULL,
	"n" integer NOT NULL,
	"uncertain" integer NOT NULL,
	"bad" integer NOT NULL,
	"part" smallint NOT NULL,
	"class_no" smallint NOT NULL,
	"body" "bytea" NOT NULL,
	CONSTRAINT "history_tag_no_day_no_part_class_no_pk" PRIMARY KEY("tag_no","day_no","part","class_no")
) PARTITION BY LIST ("class_no");
--> statement-breakpoint
CREATE TABLE "history_hour" (
	"tag_no" bigint NOT NULL,
	"hour_no" integer NOT NULL,
	"part" smallint NOT NULL,
	"n" integer NOT NULL,
	"t_min" double precision NOT NULL,
	"t_max" double precision NOT NULL,
	"closed_at" timestamp (3) with time zone NOT NULL,
	"body" "bytea" NOT NULL,
	"minutes" "bytea",
	CONSTRAINT "history_hour_tag_no_hour_no_part_pk" PRIMARY KEY("tag_no","hour_no","part")
);
--> statement-breakpoint
CREATE TABLE "history_minutes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "history_minutes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"group_no" integer NOT NULL,
	"hour_no" integer NOT NULL,
	"n" integer NOT NULL,
	"t_min" double precision NOT NULL,
	"t_max" double precision NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"body" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "history_stray" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "history_stray_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"gateway_no" integer NOT NULL,
	"reason" text NOT NULL,
	"n" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"body" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "import_run" (
	"key" text PRIMARY KEY NOT NULL,
	"body_hash" "bytea" NOT NULL,
	"report" jsonb NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"actor" uuid
);
--> statement-breakpoint
CREATE TABLE "minute_tier" (
	"tag_no" bigint NOT NULL,
	"day_no" integer NOT NULL,
	"class_no" smallint NOT NULL,
	"body" "bytea" NOT NULL,
	CONSTRAINT "minute_tier_tag_no_day_no_class_no_pk" PRIMARY KEY("tag_no","day_no","class_no")
) PARTITION BY LIST ("class_no");
--> statement-breakpoint
CREATE TABLE "retention_class" (
	"class_no" smallint PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"raw_days" integer,
	"minute_days" integer,
	"hour_days" integer,
	CONSTRAINT "retention_class_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "rollup_hour" (
	"hour" timestamp (3) with time zone NOT NULL,
	"tag_no" bigint NOT NULL,
	"min" double precision,
	"max" double precision,
	"sum" double precision,
	"first" double precision,
	"last" double precision,
	"weighted" double precision,
	"n" integer NOT NULL,
	"uncertain" integer NOT NULL,
	"bad" integer NOT NULL,
	"class_no" smallint NOT NULL,
	CONSTRAINT "rollup_hour_tag_no_hour_class_no_pk" PRIMARY KEY("tag_no","hour","class_no")
) PARTITION BY LIST ("class_no");
--> statement-breakpoint
CREATE TABLE "tag_writer" (
	"tag_no" bigint NOT NULL,
	"gateway_no" integer NOT NULL,
	CONSTRAINT "tag_writer_tag_no_gateway_no_pk" PRIMARY KEY("tag_no","gateway_no")
);
--> statement-breakpoint
CREATE TABLE "annotation" (
	"id" uuid PRIMARY KEY NOT NULL,
	"from" timestamp (3) with time zone NOT NULL,
	"to" timestamp (3) with time zone,
	"tag_no" bigint,
	"text" text NOT NULL,
	"author" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "trend_view" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"pens" jsonb NOT NULL,
	"range" jsonb NOT NULL,
	"layout" text NOT NULL,
	"compare_ms" bigint,
	"author" text NOT NULL,
	"revision" integer NOT NULL,
	CONSTRAINT "trend_view_name_unique" UNIQUE("name")
);
--> statement-breakpoint
ALTER TABLE "tag" ADD COLUMN "interpolation" text DEFAULT 'step' NOT NULL;--> statement-breakpoint
ALTER TABLE "tag" ADD COLUMN "retention" text DEFAULT 'standard' NOT NULL;--> statement-breakpoint
CREATE INDEX "history_hour_hour" ON "history_hour" USING btree ("hour_no");--> statement-breakpoint
CREATE INDEX "history_minutes_group" ON "history_minutes" USING btree ("group_no","hour_no");--> statement-breakpoint
CREATE INDEX "history_minutes_hour" ON "history_minutes" USING btree ("hour_no","group_no");--> statement-breakpoint
CREATE INDEX "history_stray_at" ON "history_stray" USING btree ("at");--> statement-breakpoint
CREATE INDEX "tag_writer_gateway" ON "tag_writer" USING btree ("gateway_no");--> statement-breakpoint
CREATE INDEX "annotation_from" ON "annotation" USING btree ("from");
--> statement-breakpoint
-- Bodies are compressed before they come here.
ALTER TABLE "history_minutes" ALTER COLUMN "body" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "history_hour" ALTER COLUMN "body" SET STORAGE EXTERNAL, ALTER COLUMN "minutes" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "history" ALTER COLUMN "body" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "minute_tier" ALTER COLUMN "body" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "history_stray" ALTER COLUMN "body" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "frame_proof" ALTER COLUMN "body" SET STORAGE EXTERNAL;--> statement-breakpoint
-- Every class has a partition of its own, and below it one for each month (rollup_hour: year); the hub makes those it needs.
CREATE TABLE "history_c1" PARTITION OF "history" FOR VALUES IN (1) PARTITION BY RANGE ("day_no");--> statement-breakpoint
CREATE TABLE "minute_tier_c1" PARTITION OF "minute_tier" FOR VALUES IN (1) PARTITION BY RANGE ("day_no");--> statement-breakpoint
CREATE TABLE "rollup_hour_c1" PARTITION OF "rollup_hour" FOR VALUES IN (1) PARTITION BY RANGE ("hour");--> statement-breakpoint
INSERT INTO "retention_class" ("class_no", "name", "raw_days", "minute_days", "hour_days") VALUES (1, 'standard', 400, 1830, NULL);--> statement-breakpoint
UPDATE "tag" SET "interpolation" = 'linear' WHERE "data_type" IN ('float32', 'float64') OR "scale" IS NOT NULL;--> statement-breakpoint
INSERT INTO "tag_writer" ("tag_no", "gateway_no")
SELECT t.tag_no, g.gateway_no FROM tag t JOIN device d ON d.id = t.device_id JOIN gateway g ON g.id = d.gateway_id;--> statement-breakpoint
-- For SQL and Grafana's PostgreSQL data source.
CREATE VIEW "tag_hour" AS
SELECT r.hour AS "time", t.path, t.unit, r.tag_no, r.min, r.max, r.sum / nullif(r.n, 0) AS avg, r.weighted, r.first, r.last,
	r.n, r.uncertain, r.bad
FROM rollup_hour r JOIN tag t USING (tag_no);
