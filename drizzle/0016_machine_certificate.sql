CREATE TABLE "machine_certificate" (
	"id" uuid PRIMARY KEY NOT NULL,
	"gateway_id" uuid NOT NULL,
	"endpoint" text NOT NULL,
	"fingerprint" text NOT NULL,
	"certificate" jsonb NOT NULL,
	"first_seen_at" timestamp (3) with time zone NOT NULL,
	"last_seen_at" timestamp (3) with time zone NOT NULL,
	"decision" text,
	"decided_by" text,
	"decided_at" timestamp (3) with time zone,
	CONSTRAINT "machine_certificate_seen" UNIQUE("gateway_id","endpoint","fingerprint")
);
--> statement-breakpoint
ALTER TABLE "machine_certificate" ADD CONSTRAINT "machine_certificate_gateway_id_gateway_id_fk" FOREIGN KEY ("gateway_id") REFERENCES "public"."gateway"("id") ON DELETE cascade ON UPDATE no action;