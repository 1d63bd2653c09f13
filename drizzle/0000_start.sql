CREATE TABLE "audit" (
	"no" bigint PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"who" text NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"old" jsonb,
	"new" jsonb,
	"prev_hash" "bytea" NOT NULL,
	"hash" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "device" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"profile_id" uuid NOT NULL,
	"gateway_id" uuid NOT NULL,
	"site_id" uuid NOT NULL,
	"settings" jsonb NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"path" text NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "device_path_unique" UNIQUE("path")
);
--> statement-breakpoint
CREATE TABLE "claim" (
	"token_hash" "bytea" PRIMARY KEY NOT NULL,
	"gateway_id" uuid NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "gateway" (
	"id" uuid PRIMARY KEY NOT NULL,
	"gateway_no" integer GENERATED ALWAYS AS IDENTITY (sequence name "gateway_gateway_no_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"site_id" uuid NOT NULL,
	"enrolment" text DEFAULT 'unclaimed' NOT NULL,
	"public_key" "bytea",
	"key_id" text,
	"epoch" bigint DEFAULT 0 NOT NULL,
	"fingerprint" text,
	"link_since" timestamp (3) with time zone,
	"last_seen_at" timestamp (3) with time zone,
	"manifest_wanted" integer DEFAULT 0 NOT NULL,
	"manifest_running" integer DEFAULT 0 NOT NULL,
	"manifest_error" text,
	"health" jsonb,
	CONSTRAINT "gateway_no_unique" UNIQUE("gateway_no"),
	CONSTRAINT "gateway_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "hub" (
	"id" uuid NOT NULL,
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hub_only_one" CHECK ("hub"."only")
);
--> statement-breakpoint
CREATE TABLE "gap" (
	"gateway_no" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"lane" text NOT NULL,
	"seg" bigint NOT NULL,
	"first" bigint NOT NULL,
	"last" bigint NOT NULL,
	"n" bigint NOT NULL,
	"t_min" double precision NOT NULL,
	"t_max" double precision NOT NULL,
	"cause" text NOT NULL,
	CONSTRAINT "gap_gateway_no_epoch_lane_seg_first_pk" PRIMARY KEY("gateway_no","epoch","lane","seg","first")
);
--> statement-breakpoint
CREATE TABLE "ingest_quarantine" (
	"gateway_no" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"lane" text NOT NULL,
	"seg" bigint NOT NULL,
	"first" bigint NOT NULL,
	"last" bigint NOT NULL,
	"code" text NOT NULL,
	"reason" text NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"body" "bytea" NOT NULL,
	CONSTRAINT "ingest_quarantine_gateway_no_epoch_lane_seg_first_pk" PRIMARY KEY("gateway_no","epoch","lane","seg","first")
);
--> statement-breakpoint
CREATE TABLE "journal" (
	"gateway_no" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"lane" text NOT NULL,
	"seg" bigint NOT NULL,
	"first" bigint NOT NULL,
	"last" bigint NOT NULL,
	"kind" text NOT NULL,
	"n" integer NOT NULL,
	"t_min" double precision NOT NULL,
	"t_max" double precision NOT NULL,
	"wide" boolean NOT NULL,
	"crc" bigint NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"body" "bytea" NOT NULL,
	CONSTRAINT "journal_gateway_no_epoch_lane_seg_first_pk" PRIMARY KEY("gateway_no","epoch","lane","seg","first")
);
--> statement-breakpoint
CREATE TABLE "latest_snapshot" (
	"part" integer PRIMARY KEY NOT NULL,
	"newest" "bytea" NOT NULL,
	"good" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "uplink_stream" (
	"gateway_no" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"lane" text NOT NULL,
	"seg" bigint NOT NULL,
	"last" bigint DEFAULT 0 NOT NULL,
	"fenced" boolean DEFAULT false NOT NULL,
	"latest_seq" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "uplink_stream_gateway_no_epoch_lane_seg_pk" PRIMARY KEY("gateway_no","epoch","lane","seg")
);
--> statement-breakpoint
CREATE TABLE "manifest" (
	"gateway_id" uuid NOT NULL,
	"rev" integer NOT NULL,
	"json" text NOT NULL,
	"sha256" text NOT NULL,
	"signature" text NOT NULL,
	"content_sha256" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "manifest_gateway_id_rev_pk" PRIMARY KEY("gateway_id","rev")
);
--> statement-breakpoint
CREATE TABLE "account" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"user_id" text NOT NULL,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamp (3) with time zone,
	"refresh_token_expires_at" timestamp (3) with time zone,
	"scope" text,
	"password" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_key" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "api_key_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "person" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean DEFAULT false NOT NULL,
	"image" text,
	"role" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "person_email_unique" UNIQUE("email")
);
--> statement-breakpoint
CREATE TABLE "session" (
	"id" text PRIMARY KEY NOT NULL,
	"token" text NOT NULL,
	"user_id" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "session_token_unique" UNIQUE("token")
);
--> statement-breakpoint
CREATE TABLE "verification" (
	"id" text PRIMARY KEY NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "profile" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"driver" text NOT NULL,
	"settings" jsonb NOT NULL,
	"tags" jsonb NOT NULL,
	"scan_ms" integer,
	"heartbeat_ms" integer,
	"revision" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "profile_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "site" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"parent_id" uuid,
	"path" text NOT NULL,
	CONSTRAINT "site_path_unique" UNIQUE("path")
);
--> statement-breakpoint
CREATE TABLE "tag" (
	"tag_no" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "tag_tag_no_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 4294967295 START WITH 1 CACHE 1),
	"device_id" uuid NOT NULL,
	"name" text NOT NULL,
	"path" text NOT NULL,
	"address" text NOT NULL,
	"data_type" text NOT NULL,
	"unit" text NOT NULL,
	"description" text NOT NULL,
	"scan_ms" integer NOT NULL,
	"heartbeat_ms" integer NOT NULL,
	"deadband" double precision NOT NULL,
	"scale" jsonb,
	"range" jsonb,
	"removed_at" timestamp (3) with time zone,
	CONSTRAINT "tag_device_name_unique" UNIQUE("device_id","name")
);
--> statement-breakpoint
ALTER TABLE "device" ADD CONSTRAINT "device_profile_id_profile_id_fk" FOREIGN KEY ("profile_id") REFERENCES "public"."profile"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "device" ADD CONSTRAINT "device_gateway_id_gateway_id_fk" FOREIGN KEY ("gateway_id") REFERENCES "public"."gateway"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "device" ADD CONSTRAINT "device_site_id_site_id_fk" FOREIGN KEY ("site_id") REFERENCES "public"."site"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "claim" ADD CONSTRAINT "claim_gateway_id_gateway_id_fk" FOREIGN KEY ("gateway_id") REFERENCES "public"."gateway"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gateway" ADD CONSTRAINT "gateway_site_id_site_id_fk" FOREIGN KEY ("site_id") REFERENCES "public"."site"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account" ADD CONSTRAINT "account_user_id_person_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_user_id_person_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "site" ADD CONSTRAINT "site_parent_id_site_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."site"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_subject" ON "audit" USING btree ("subject");--> statement-breakpoint
CREATE INDEX "device_profile" ON "device" USING btree ("profile_id");--> statement-breakpoint
CREATE INDEX "device_gateway" ON "device" USING btree ("gateway_id");--> statement-breakpoint
CREATE INDEX "device_site" ON "device" USING btree ("site_id");--> statement-breakpoint
CREATE INDEX "claim_gateway" ON "claim" USING btree ("gateway_id");--> statement-breakpoint
CREATE INDEX "gateway_site" ON "gateway" USING btree ("site_id");--> statement-breakpoint
CREATE INDEX "gap_time" ON "gap" USING btree ("gateway_no","t_max");--> statement-breakpoint
CREATE INDEX "journal_time" ON "journal" USING btree ("gateway_no","wide","t_max");--> statement-breakpoint
CREATE INDEX "manifest_created" ON "manifest" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "account_user" ON "account" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "session_user" ON "session" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "verification_identifier" ON "verification" USING btree ("identifier");--> statement-breakpoint
CREATE INDEX "site_parent" ON "site" USING btree ("parent_id");--> statement-breakpoint
CREATE INDEX "tag_path" ON "tag" USING btree ("path");--> statement-breakpoint
-- Bodies are compressed before they come here; a second attempt would cost time and win nothing.
ALTER TABLE "journal" ALTER COLUMN "body" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "latest_snapshot" ALTER COLUMN "newest" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "latest_snapshot" ALTER COLUMN "good" SET STORAGE EXTERNAL;
