CREATE TABLE "config_entry" (
	"kind" text NOT NULL,
	"entity_id" uuid NOT NULL,
	"version" bigint NOT NULL,
	"content" jsonb,
	CONSTRAINT "config_entry_kind_entity_id_version_pk" PRIMARY KEY("kind","entity_id","version")
);
--> statement-breakpoint
CREATE TABLE "config_version" (
	"version" bigint PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"who" text NOT NULL,
	"author" text NOT NULL,
	"comment" text NOT NULL,
	"action" text NOT NULL,
	"added" integer NOT NULL,
	"changed" integer NOT NULL,
	"removed" integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE "config_entry" ADD CONSTRAINT "config_entry_version_config_version_version_fk" FOREIGN KEY ("version") REFERENCES "public"."config_version"("version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "config_entry_version" ON "config_entry" USING btree ("version");--> statement-breakpoint
-- What is there already becomes version 1.
INSERT INTO "config_version" ("version", "at", "who", "author", "comment", "action", "added", "changed", "removed")
SELECT 1, now(), 'hub', 'Millrace', 'What was there before versions were kept', 'config.start', n, 0, 0
FROM (SELECT (SELECT count(*) FROM "site") + (SELECT count(*) FROM "profile") + (SELECT count(*) FROM "gateway") + (SELECT count(*) FROM "device") AS n) AS present
WHERE n > 0;--> statement-breakpoint
INSERT INTO "config_entry" ("kind", "entity_id", "version", "content")
SELECT 'site', "id", 1, jsonb_build_object('name', "name", 'kind', "kind", 'parentId', "parent_id", 'path', "path") FROM "site"
UNION ALL SELECT 'profile', "id", 1, jsonb_build_object('name', "name", 'driver', "driver", 'settings', "settings", 'tags', "tags", 'scanMs', "scan_ms", 'heartbeatMs', "heartbeat_ms") FROM "profile"
UNION ALL SELECT 'gateway', "id", 1, jsonb_build_object('name', "name", 'siteId', "site_id") FROM "gateway"
UNION ALL SELECT 'device', "id", 1, jsonb_build_object('name', "name", 'profileId', "profile_id", 'gatewayId', "gateway_id", 'siteId', "site_id", 'settings', "settings", 'enabled', "enabled", 'path', "path") FROM "device";
