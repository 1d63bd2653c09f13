CREATE TABLE "gateway_log" (
	"gateway_no" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"seg" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"position" integer NOT NULL,
	"at" double precision NOT NULL,
	"level" text NOT NULL,
	"logger" text NOT NULL,
	"message" text NOT NULL,
	"device_id" uuid,
	"data" jsonb NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	CONSTRAINT "gateway_log_gateway_no_epoch_seg_seq_position_pk" PRIMARY KEY("gateway_no","epoch","seg","seq","position")
);
--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "labels" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "gateway" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE INDEX "gateway_log_at" ON "gateway_log" USING btree ("at");--> statement-breakpoint
CREATE INDEX "gateway_log_gateway_at" ON "gateway_log" USING btree ("gateway_no","at");--> statement-breakpoint
CREATE INDEX "gateway_log_received" ON "gateway_log" USING btree ("received_at");