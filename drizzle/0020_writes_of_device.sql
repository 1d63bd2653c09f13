ALTER TABLE "tag_write" ADD COLUMN "device_id" uuid;--> statement-breakpoint
UPDATE "tag_write" SET "device_id" = "tag"."device_id" FROM "tag" WHERE "tag"."tag_no" = "tag_write"."tag_no";--> statement-breakpoint
ALTER TABLE "tag_write" ALTER COLUMN "device_id" SET NOT NULL;--> statement-breakpoint
CREATE INDEX "tag_write_device" ON "tag_write" USING btree ("device_id","selected_at","id");
