CREATE TABLE "coverage_block" (
	"day_no" integer NOT NULL,
	"block_no" integer NOT NULL,
	"gateway_no" integer NOT NULL,
	"body" "bytea" NOT NULL,
	CONSTRAINT "coverage_block_block_no_day_no_gateway_no_pk" PRIMARY KEY("block_no","day_no","gateway_no")
);
--> statement-breakpoint
CREATE TABLE "coverage_boot" (
	"gateway_no" integer NOT NULL,
	"boot_no" bigint NOT NULL,
	CONSTRAINT "coverage_boot_gateway_no_boot_no_pk" PRIMARY KEY("gateway_no","boot_no")
);
--> statement-breakpoint
CREATE TABLE "coverage_position" (
	"gateway_no" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"lane" text NOT NULL,
	"seg" bigint NOT NULL,
	"seq" bigint NOT NULL,
	CONSTRAINT "coverage_position_gateway_no_epoch_lane_seg_pk" PRIMARY KEY("gateway_no","epoch","lane","seg")
);
--> statement-breakpoint
CREATE TABLE "coverage_tag" (
	"tag_no" bigint PRIMARY KEY NOT NULL,
	"since" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
-- Bodies are compressed before they come here.
ALTER TABLE "coverage_block" ALTER COLUMN "body" SET STORAGE EXTERNAL;
