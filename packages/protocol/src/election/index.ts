export { AnnouncementDetector } from './announcement-detector.ts';
export { type Claim, decodeClaim, encodeClaim } from './claim.ts';
export { Detect, Detected, Detector } from './detector.ts';
