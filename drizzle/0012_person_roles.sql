ALTER TABLE "api_key" DROP COLUMN "role";--> statement-breakpoint
ALTER TABLE "person" DROP COLUMN "role";