CREATE TABLE "tag_write" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tag_no" bigint NOT NULL,
	"write_class" smallint NOT NULL,
	"chosen" jsonb NOT NULL,
	"selected_by_id" text NOT NULL,
	"selected_by" text NOT NULL,
	"selected_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"agreed_by_id" text,
	"agreed_by" text,
	"command_id" uuid,
	"audited_outcome" text
);
--> statement-breakpoint
ALTER TABLE "command" ADD COLUMN "result" jsonb;--> statement-breakpoint
ALTER TABLE "tag" ADD COLUMN "write" jsonb;--> statement-breakpoint
ALTER TABLE "tag_write" ADD CONSTRAINT "tag_write_tag_no_tag_tag_no_fk" FOREIGN KEY ("tag_no") REFERENCES "public"."tag"("tag_no") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tag_write" ADD CONSTRAINT "tag_write_command_id_command_id_fk" FOREIGN KEY ("command_id") REFERENCES "public"."command"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "tag_write_tag" ON "tag_write" USING btree ("tag_no","selected_at");--> statement-breakpoint
CREATE INDEX "tag_write_command" ON "tag_write" USING btree ("command_id");