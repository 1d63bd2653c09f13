CREATE TABLE "access_grant" (
	"id" uuid PRIMARY KEY NOT NULL,
	"person_id" text,
	"api_key_id" uuid,
	"role" text NOT NULL,
	"site_id" uuid,
	CONSTRAINT "access_grant_once" UNIQUE NULLS NOT DISTINCT("person_id","api_key_id","role","site_id"),
	CONSTRAINT "access_grant_holder" CHECK (num_nonnulls("access_grant"."person_id", "access_grant"."api_key_id") = 1)
);
--> statement-breakpoint
CREATE TABLE "role" (
	"name" text PRIMARY KEY NOT NULL,
	"description" text NOT NULL,
	"permissions" jsonb NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "kind" text DEFAULT 'apiKey' NOT NULL;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "expires_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "person" ADD COLUMN "disabled_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "access_grant" ADD CONSTRAINT "access_grant_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "access_grant" ADD CONSTRAINT "access_grant_api_key_id_api_key_id_fk" FOREIGN KEY ("api_key_id") REFERENCES "public"."api_key"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "access_grant" ADD CONSTRAINT "access_grant_site_id_site_id_fk" FOREIGN KEY ("site_id") REFERENCES "public"."site"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "access_grant_site" ON "access_grant" USING btree ("site_id");--> statement-breakpoint
INSERT INTO "access_grant" ("id", "person_id", "role") SELECT gen_random_uuid(), "id", "role" FROM "person";--> statement-breakpoint
INSERT INTO "access_grant" ("id", "api_key_id", "role") SELECT gen_random_uuid(), "id", "role" FROM "api_key";
