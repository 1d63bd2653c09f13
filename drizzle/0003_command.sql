CREATE TABLE "command" (
	"id" uuid PRIMARY KEY NOT NULL,
	"gateway_no" integer NOT NULL,
	"command_no" bigint NOT NULL,
	"body" jsonb NOT NULL,
	"requested_by" text NOT NULL,
	"requested_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"state" text DEFAULT 'sent' NOT NULL,
	"answered_at" timestamp (3) with time zone,
	CONSTRAINT "command_no_unique" UNIQUE("gateway_no","command_no")
);
--> statement-breakpoint
ALTER TABLE "command" ADD CONSTRAINT "command_gateway_no_gateway_gateway_no_fk" FOREIGN KEY ("gateway_no") REFERENCES "public"."gateway"("gateway_no") ON DELETE no action ON UPDATE no action;