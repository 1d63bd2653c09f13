ALTER TABLE "device" ADD COLUMN "parameters" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "device" ADD COLUMN "hours" jsonb;--> statement-breakpoint
ALTER TABLE "profile" ADD COLUMN "parameters" jsonb DEFAULT '{}'::jsonb NOT NULL;