CREATE TABLE "gateway_renewal" (
	"gateway_no" integer NOT NULL,
	"to_epoch" bigint NOT NULL,
	"from_epoch" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"reason" text NOT NULL,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "gateway_renewal_gateway_no_to_epoch_pk" PRIMARY KEY("gateway_no","to_epoch")
);
--> statement-breakpoint
CREATE TABLE "boot_clock" (
	"gateway_no" integer NOT NULL,
	"boot_no" bigint NOT NULL,
	"offset_ms" double precision NOT NULL,
	"quality" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "boot_clock_gateway_no_boot_no_pk" PRIMARY KEY("gateway_no","boot_no")
);
--> statement-breakpoint
CREATE TABLE "gateway_event" (
	"gateway_no" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"seg" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"position" integer NOT NULL,
	"at" double precision NOT NULL,
	"code" text NOT NULL,
	"severity" text NOT NULL,
	"message" text NOT NULL,
	"device_id" uuid,
	"data" jsonb NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	CONSTRAINT "gateway_event_gateway_no_epoch_seg_seq_position_pk" PRIMARY KEY("gateway_no","epoch","seg","seq","position")
);
--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "session_no" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "command_no" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "renewal_due" text;--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "cloned_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "trusted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "manifest_held" integer;--> statement-breakpoint
ALTER TABLE "journal" ADD COLUMN "boot_no" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "journal" ADD COLUMN "clock_none" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "journal" ADD COLUMN "offset_ms" double precision DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "uplink_stream" ADD COLUMN "acked_seen" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "gateway_event_at" ON "gateway_event" USING btree ("at");--> statement-breakpoint
CREATE INDEX "gateway_event_gateway_at" ON "gateway_event" USING btree ("gateway_no","at");--> statement-breakpoint
CREATE INDEX "journal_clock_none" ON "journal" USING btree ("gateway_no","boot_no") WHERE "journal"."clock_none";