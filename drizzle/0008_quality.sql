CREATE TABLE "audit_anchor" (
	"no" bigint PRIMARY KEY NOT NULL,
	"hash" "bytea" NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"hub_id" uuid NOT NULL,
	"public_key" text NOT NULL,
	"signature" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "audit" ADD COLUMN "from" jsonb;--> statement-breakpoint
CREATE INDEX "audit_at" ON "audit" USING btree ("at");--> statement-breakpoint
CREATE INDEX "audit_who" ON "audit" USING btree ("who","no");--> statement-breakpoint
CREATE INDEX "audit_action" ON "audit" USING btree ("action","no");