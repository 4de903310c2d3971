export { AnnouncementDetector, Detect, Detected } from './detector.ts';
